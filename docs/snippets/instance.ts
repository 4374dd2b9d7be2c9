import { createServer as createHttpServer } from "node:http";
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { news } from "./news.js";

const { REDIS_URL = "redis://localhost:6379", PORT = "3000" } = process.env;

const server = createServer(news, { broker: redisBroker({ url: REDIS_URL }), logger: console });

server.handle("headline.add", async ({ input }) => {
  // The key makes retries safe: if the first attempt was stored and only its answer was lost, a
  // retry on any instance publishes nothing.
  const { duplicate } = await server.channel("headlines").publish("added", input, { idempotencyKey: input.id });
  return { isNew: !duplicate };
});

const http = createHttpServer((request, response) => {
  // For the load balancer: while Redis is unreachable or this instance is closing, new clients go
  // elsewhere. Connected clients are still served, so the probe that restarts the process asks
  // /healthz instead.
  const isFine = request.url === "/healthz" || (request.url === "/readyz" && server.isReady);
  response.writeHead(isFine ? 200 : 503).end();
});
server.attach(http, { path: "/ws" });
http.listen(Number(PORT));

process.once("SIGTERM", async () => {
  await server.close();
  http.close();
  // Idle connections of the load balancer would otherwise keep the process alive.
  http.closeAllConnections();
});
