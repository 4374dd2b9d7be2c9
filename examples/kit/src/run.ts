/**
 * What the programs of the examples have in common: settings from the environment, one line for
 * people, and an orderly end.
 */

export interface Settings {
  readonly port: number;
  readonly host?: string;
}

export interface Running {
  readonly port: number;
  close(reason: string): Promise<void>;
}

export interface Program<Example extends Running> {
  readonly start: (settings: Settings) => Promise<Example>;
  /** Names it in the line with its address. */
  readonly name: string;
  /** What else that line says, behind `WebSocket at /ws`. */
  readonly more?: string;
  /** How it is started, for whoever finds the port taken. */
  readonly command: string;
}

/** Redis comes and goes; whoever runs an example wants to see that. */
const logger = {
  debug() {},
  info: (_details: unknown, text: string) => console.log(text),
  warn: (_details: unknown, text: string) => console.warn(text),
  error: (details: unknown, text: string) => console.error(text, details),
};

/** With REDIS_URL an example is one of several instances. */
export function redisSettings(): { readonly redisUrl?: string; readonly logger?: typeof logger } {
  const redisUrl = process.env["REDIS_URL"];
  return redisUrl ? { redisUrl, logger } : {};
}

/** Runs it until it is told to end: once in good order, twice at once. */
export async function run<Example extends Running>({
  start,
  name,
  more = "",
  command,
}: Program<Example>): Promise<void> {
  const host = process.env["HOST"];
  const settings = { port: Number(process.env["PORT"] ?? 3000), ...(host !== undefined && { host }) };
  const example = await start(settings).catch((error: unknown) => {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    if (code !== "EADDRINUSE") throw error;
    console.error(`The port is taken. Choose another one: PORT=3001 ${command}`);
    process.exit(1);
  });
  console.log(`${name} example: http://localhost:${example.port} (WebSocket at /ws${more})`);

  let isClosing = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (isClosing) process.exit(1);
      isClosing = true;
      void example.close(`the server received ${signal}`).then(() => process.exit(0));
    });
  }
}
