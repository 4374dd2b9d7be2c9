import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";

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

/** An http server of our own, for those who have none: it serves WebSockets and says so to everyone else. */
export async function listen(
  server: { attach(http: HttpServer, options: { path: string }): () => void },
  port: number,
  { host, path = "/ws" }: ListenOptions,
): Promise<Listening> {
  const http = createHttpServer((_request, response) => {
    response.writeHead(426, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
    response.end(`This server speaks WebSocket, at ${path}.\n`);
  });
  const detach = server.attach(http, { path });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      detach();
      reject(error);
    };
    http.once("error", fail);
    http.listen(port, host, () => {
      http.off("error", fail);
      resolve();
    });
  });
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
        // Or a peer that has connected and says nothing would hold it up for ever: `close` spares those in the middle of a
        // request, and stops the timer that would have ended them. WebSockets are not the http server's any more.
        http.closeAllConnections();
      })),
  };
}
