/**
 * Runs an example program: reads the settings from the environment, prints one line with the
 * address, and shuts down gracefully.
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
  /** The example's name in the line with its address. */
  readonly name: string;
  /** Further text of that line, after `WebSocket at /ws`. */
  readonly more?: string;
  /** The command that starts the example, shown if the port is taken. */
  readonly command: string;
}

/** Prints log messages, for example when Redis becomes unreachable and when Redis returns. */
const logger = {
  debug() {},
  info: (_details: unknown, text: string) => console.log(text),
  warn: (_details: unknown, text: string) => console.warn(text),
  error: (details: unknown, text: string) => console.error(text, details),
};

/** The settings of an example that is one of several instances. Empty if REDIS_URL is not set. */
export function redisSettings(): { readonly redisUrl?: string; readonly logger?: typeof logger } {
  const redisUrl = process.env["REDIS_URL"];
  return redisUrl ? { redisUrl, logger } : {};
}

/**
 * Starts the example. The first SIGINT or SIGTERM shuts the example down gracefully, and the second
 * signal ends the process at once.
 */
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
    console.error(`The port is taken. Choose another port: PORT=3001 ${command}`);
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
