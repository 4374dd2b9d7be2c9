import { HoldfastError } from "@holdfast/protocol";
import { checkOptions } from "../call-options.js";
import type { Logger } from "../observe/logger.js";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";

export type { HttpServer };

export interface ListenOptions {
  /** The network interface to listen on, as a host name or address. @default all interfaces */
  readonly host?: string;
  /** The path of the WebSocket endpoint. @default "/ws" */
  readonly path?: string;
}

export interface Listening {
  /** The address that clients connect to, such as `ws://localhost:3000/ws`. */
  readonly url: string;
  readonly port: number;
  /** Stops listening. Open connections stay; `server.close()` closes them too. */
  close(): Promise<void>;
}

/**
 * Creates an http server for applications that have none. The server accepts WebSockets on one path
 * and answers every other request with 426.
 */
export async function listen(
  server: { attach(http: HttpServer, options: { path: string }): () => void },
  port: number,
  options: ListenOptions,
  logger: Logger,
): Promise<Listening> {
  // Other libraries accept a host as the third argument. If a string or a misspelt `host` were
  // ignored, the server would listen on all interfaces.
  checkOptions("listen", options, ["host", "path"]);
  const { host, path = "/ws" } = options;
  // Node takes any other string as the path of a pipe, and an object as options.
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
  // Without a listener, an `error` event would end the process. Too many open files, for example,
  // is a temporary failure.
  http.on("error", (err) => logger.error({ err, port }, "http server failed"));
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
        // Otherwise a peer that has connected and sends nothing would delay the close forever:
        // `close` spares connections in the middle of a request and stops the timer that would have
        // ended them. WebSockets no longer belong to the http server.
        http.closeAllConnections();
      })),
  };
}

/** Sentences by the system's error code. Each follows the value that `listen` was given. */
const causes: { readonly [code: string]: readonly [field: "port" | "host", sentence: string, remedy: string] } = {
  EADDRINUSE: [
    "port",
    "is in use by another program or by an earlier call of listen",
    "Stop the other program or server, or pass another port; 0 chooses a free one.",
  ],
  EACCES: [
    "port",
    "requires a privilege that this process does not have",
    "Pass a port above 1023 and put a proxy in front of the server.",
  ],
  ERR_SOCKET_BAD_PORT: ["port", "is not a port", "Pass a whole number from 0 to 65535."],
  EADDRNOTAVAIL: ["host", "is not an address of this machine", "Omit `host`, or pass an address of this machine."],
  ENOTFOUND: ["host", "cannot be found", "Omit `host`, or pass a name or address of this machine."],
  EAI_AGAIN: ["host", "cannot be looked up", "Omit `host`, or pass an address of this machine."],
};

/**
 * Returns an error that adds a field and a remedy to the system's error. The code stays the same,
 * because applications branch on the code. An error with an unknown code is returned unchanged.
 */
function listenError(error: unknown, port: unknown, host: unknown): unknown {
  const { code = "" } = error as { code?: string };
  const cause = Object.hasOwn(causes, code) ? causes[code] : undefined;
  if (!cause) return error;
  const [field, sentence, remedy] = cause;
  const given = field === "port" ? port : host;
  const value = typeof given === "string" ? given : inspect(given, { depth: 0, customInspect: false });
  return new HoldfastError(code, `listen: ${field}: ${value} ${sentence}.`, { field, remedy, cause: error });
}
