import { HoldfastError } from "@holdfast/protocol";
import { type IncomingMessage, type Server as HttpServer, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

type Take = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
interface Router {
  readonly paths: Map<string, Take>;
  readonly listener: Take;
}

/** One router for each http server, so that several Holdfast servers can share it. */
const routers = new WeakMap<HttpServer, Router>();

/**
 * Hands the upgrades of one path to `take`. Other paths belong to others: they are left alone,
 * unless nobody else listens, in which case they are answered 404 instead of hanging.
 *
 * @throws HoldfastError INVALID_OPTION, naming the field
 */
export function routeUpgrades(http: HttpServer, path: string, take: Take): () => void {
  // Applications of Express and Koa, servers of `node:net` and `ws`, and HTTP/2 without HTTP/1 have
  // `on` as well, but never emit `upgrade`. All servers of HTTP/1 have this limit.
  if (typeof http?.on !== "function" || typeof http.headersTimeout !== "number")
    throw refused("http", "expected an http or https server of Node", {
      remedy: "Pass what `http.createServer(app)` or `app.listen(port)` returns; with Fastify, `fastify.server`.",
    });
  if (typeof path !== "string" || !/^\/[^\s?#]*$/.test(path)) throw refused("path", `expected a path such as "/ws"`);
  const router = routers.get(http) ?? newRouter(http);
  if (router.paths.has(path))
    throw refused("path", `The path ${path} of this http server is taken by another call of attach`, {
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

/** The path before the query. A request line is a peer's text: `new URL` would throw on some. */
function pathOf(url: string | undefined): string {
  return (url ?? "/").split("?", 1)[0]!;
}

/** Answers an upgrade by HTTP, once, and ends the socket. */
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
