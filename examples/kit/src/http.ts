import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { extname, join } from "node:path";

const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
]);

const headers = {
  // Even if HTML from outside reaches the page, for example in a program's output, the page runs
  // only its own script.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // After a restart with newer code, browsers must load the newer page.
  "Cache-Control": "no-cache",
};

export interface HttpOptions {
  /** The folder with the built page. */
  pageFolder: string;
  stats: () => unknown;
}

/**
 * Serves the page, a health check and the statistics. The few files are read once at the start, so
 * no request can name a path on disk.
 */
export async function createHttp({ pageFolder, stats }: HttpOptions): Promise<HttpServer> {
  const files = new Map<string, { type: string; body: Buffer }>();
  for (const name of await readdir(pageFolder)) {
    const type = types.get(extname(name));
    if (type !== undefined) files.set(`/${name}`, { type, body: await readFile(join(pageFolder, name)) });
  }
  const json = (value: unknown) => ({
    type: "application/json; charset=utf-8",
    body: Buffer.from(`${JSON.stringify(value, null, 2)}\n`),
  });

  const find = (path: string): { type: string; body: Buffer } | undefined => {
    switch (path) {
      case "/":
        return files.get("/index.html");
      case "/healthz":
        return json({ status: "ok" });
      case "/stats":
        return json(stats());
      default:
        return files.get(path);
    }
  };

  return createServer((request, response) => {
    const found = find((request.url ?? "/").split("?", 1)[0] ?? "/");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { ...headers, Allow: "GET, HEAD" }).end();
    } else if (!found) {
      response.writeHead(404, { ...headers, "Content-Type": "text/plain; charset=utf-8" }).end("Not found.\n");
    } else {
      response.writeHead(200, { ...headers, "Content-Type": found.type, "Content-Length": found.body.byteLength });
      response.end(request.method === "HEAD" ? undefined : found.body);
    }
  });
}
