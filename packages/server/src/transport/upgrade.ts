import { HoldfastError } from "@holdfast/protocol";
import { type IncomingMessage, type Server as HttpServer, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

type Take = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
interface Router {
  readonly paths: Map<string, Take>;
  readonly listener: Take;
}

/** One router per http server, so that several Holdfast servers can share an http server. */
const routers = new WeakMap<HttpServer, Router>();

/**
 * Passes the upgrades of one path to `take`. Upgrades of other paths are left to other listeners.
 * If the http server has no other `upgrade` listener, such upgrades are answered with 404 instead
 * of hanging. Returns a function that releases the path.
 *
 * @throws HoldfastError INVALID_OPTION, naming the field
 */
export function routeUpgrades(http: HttpServer, path: string, take: Take): () => void {
  // Express and Koa applications, servers of `node:net` and `ws`, and HTTP/2 servers without HTTP/1
  // also have `on`, but never emit `upgrade`. All HTTP/1 servers have `headersTimeout`.
  if (typeof http?.on !== "function" || typeof http.headersTimeout !== "number")
    throw refused("http", "expected a Node http or https server", {
      remedy:
        "Pass the return value of `http.createServer(app)` or `app.listen(port)`, or `fastify.server` if you use Fastify.",
    });
  if (typeof path !== "string" || !/^\/[^\s?#]*$/.test(path)) throw refused("path", `expected a path such as "/ws"`);
  const router = routers.get(http) ?? newRouter(http);
  if (router.paths.has(path))
    throw refused("path", `another call of attach uses ${path} on this http server`, {
      remedy: "Attach once for each path: pass another `path`, or call the function that the other `attach` returned.",
    });
  router.paths.set(path, take);
  return () => {
    router.paths.delete(path);
    if (router.paths.size > 0) return;
    http.off("upgrade", router.listener);
    routers.delete(http);
  };
}

function refused(field: string, sentence: string, { remedy }: { readonly remedy?: string } = {}): HoldfastError {
  return new HoldfastError("INVALID_OPTION", `attach: ${field}: ${sentence}.`, { field, remedy });
}

function newRouter(http: HttpServer): Router {
  const paths = new Map<string, Take>();
  const listener: Take = (request, socket, head) => {
    const take = paths.get(pathOf(request.url));
    if (take) take(request, socket, head);
    else if (http.listenerCount("upgrade") === 1) {
      socket.on("error", () => {});
      refuseUpgrade(socket, 404, "No WebSocket is served at this path.");
    }
  };
  const router = { paths, listener };
  routers.set(http, router);
  http.on("upgrade", listener);
  return router;
}

/**
 * Returns the path without the query. The peer writes the request line, and `new URL` would throw
 * for some request lines.
 */
function pathOf(url: string | undefined): string {
  return (url ?? "/").split("?", 1)[0]!;
}

/** Answers an upgrade with an HTTP status, at most once, and closes the socket. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  if (socket.destroyed || socket.writableEnded) return;
  const body = `${message}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Bearer realm="holdfast"'] : []),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
