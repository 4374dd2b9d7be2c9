import { createServer as createHttpServer } from "node:http";
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { news } from "./news.js";

const { REDIS_URL = "redis://localhost:6379", PORT = "3000" } = process.env;

const server = createServer(news, { broker: redisBroker({ url: REDIS_URL }), logger: console });

server.handle("headline.add", async ({ input }) => {
  // Asked again, on whatever instance, it is one publication: also when the first attempt was
  // stored and its answer got lost.
  const { duplicate } = await server.channel("headlines").publish("added", input, { idempotencyKey: input.id });
  return { isNew: !duplicate };
});

const http = createHttpServer((request, response) => {
  // For the balancer: no new clients while Redis is away, or this instance is closing. Those it has
  // are served all the same, so what restarts the process asks /healthz instead.
  const isFine = request.url === "/healthz" || (request.url === "/readyz" && server.isReady);
  response.writeHead(isFine ? 200 : 503).end();
});
server.attach(http, { path: "/ws" });
http.listen(Number(PORT));

process.once("SIGTERM", async () => {
  await server.close();
  http.close();
  // A balancer's idle connections, which would otherwise keep the process for as long as they like.
  http.closeAllConnections();
});
