import { HoldfastError } from "@holdfast/protocol";
import { checkOptions } from "../call-options.js";
import type { Logger } from "../observe/logger.js";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";

export type { HttpServer };

export interface ListenOptions {
  /** @default every interface */
  readonly host?: string;
  /** @default "/ws" */
  readonly path?: string;
}

export interface Listening {
  /** Where clients connect, such as `ws://localhost:3000/ws`. */
  readonly url: string;
  readonly port: number;
  /** Stops listening. Open connections stay; `server.close()` ends those too. */
  close(): Promise<void>;
}

/**
 * An http server of our own, for those who have none: it serves WebSockets and says so to everyone
 * else.
 */
export async function listen(
  server: { attach(http: HttpServer, options: { path: string }): () => void },
  port: number,
  options: ListenOptions,
  logger: Logger,
): Promise<Listening> {
  // Other servers take a text there. If it or a misspelt `host` were ignored, the server would
  // serve every interface.
  checkOptions("listen", options, ["host", "path"]);
  const { host, path = "/ws" } = options;
  // Node takes any other text for the path of a pipe, and an object for options of its own.
  if (typeof port !== "number" && !(typeof port === "string" && /^\d+$/.test(port)))
    throw listenError({ code: "ERR_SOCKET_BAD_PORT" }, port, host);
  if (host !== undefined && typeof host !== "string") throw listenError({ code: "ENOTFOUND" }, port, host);
  const http = createHttpServer((_request, response) => {
    response.writeHead(426, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
    response.end(`This server speaks WebSocket, at ${path}.\n`);
  });
  const detach = server.attach(http, { path });
  try {
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(port, host, () => {
        http.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    detach();
    throw listenError(error, port, host);
  }
  // Without a listener it would end the process: that too many files are open, for example, is over
  // with the next connection.
  http.on("error", (err) => logger.error({ err, port }, "the http server failed"));
  const { port: actual } = http.address() as AddressInfo;
  const shown =
    host === undefined || host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  let closed: Promise<void> | undefined;
  return {
    url: `ws://${shown}:${actual}${path}`,
    port: actual,
    close: () =>
      (closed ??= new Promise((resolve) => {
        detach();
        http.close(() => resolve());
        // Or a peer that has connected and says nothing would hold it up for ever: `close` spares
        // those in the middle of a request, and stops the timer that would have ended them.
        // WebSockets are not the http server's any more.
        http.closeAllConnections();
      })),
  };
}

/** By the system's code. Each leaves out what `listen` was given, which stands before it. */
const causes: { readonly [code: string]: readonly [field: "port" | "host", sentence: string, remedy: string] } = {
  EADDRINUSE: [
    "port",
    "is in use, by another program or by an earlier call of listen",
    "End the other one, or pass another port; 0 takes any free one.",
  ],
  EACCES: ["port", "may not be used by this user", "Pass a port above 1023, and put a proxy in front of it."],
  ERR_SOCKET_BAD_PORT: ["port", "is no port", "Pass a whole number from 0 to 65535."],
  EADDRNOTAVAIL: ["host", "is no address of this machine", "Leave `host` out, or pass an address that it has."],
  ENOTFOUND: ["host", "cannot be found", "Leave `host` out, or pass a name or address of this machine."],
  EAI_AGAIN: ["host", "cannot be looked up", "Leave `host` out, or pass an address of this machine."],
};

/** The system's error with its cure. The code stays the system's, which applications branch on. */
function listenError(error: unknown, port: unknown, host: unknown): unknown {
  const { code = "" } = error as { code?: string };
  const cause = Object.hasOwn(causes, code) ? causes[code] : undefined;
  if (!cause) return error;
  const [field, sentence, remedy] = cause;
  const given = field === "port" ? port : host;
  const value = typeof given === "string" ? given : inspect(given, { depth: 0, customInspect: false });
  return new HoldfastError(code, `listen: ${field}: ${value} ${sentence}.`, { field, remedy, cause: error });
}
