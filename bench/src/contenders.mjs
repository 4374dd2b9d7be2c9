// The server side of the fan-out measurement. Each contender runs in a separate process and talks
// to its parent process by IPC.
import { createServer as createHttpServer } from "node:http";
import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { WebSocketServer } from "ws";
import * as z from "zod";

const event = (index) => ({ agentId: "agent-123", status: "running", note: "x".repeat(80), index });

/**
 * Each contender listens and returns `publish(index)`, which sends one event to every subscriber.
 */
const contenders = {
  /** The usual loop without a library: stringify once, send to each socket. */
  async "ws-naive"() {
    const http = createHttpServer();
    const wss = new WebSocketServer({ server: http, path: "/ws" });
    await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
    return {
      port: http.address().port,
      subscribers: () => wss.clients.size,
      publish(index) {
        const text = JSON.stringify({ type: "event", channel: "updates", event: "changed", data: event(index) });
        for (const client of wss.clients) client.send(text);
      },
    };
  },

  async holdfast() {
    const protocol = defineProtocol({
      name: "bench",
      version: "1.0.0",
      channels: {
        updates: {
          events: {
            changed: z.object({
              agentId: z.string(),
              status: z.enum(["idle", "running"]),
              note: z.string(),
              index: z.number(),
            }),
          },
        },
      },
    });
    const server = createServer(protocol, { limits: { owedBytes: 64 * 1_048_576 } });
    const { port } = await server.listen(0, { host: "127.0.0.1" });
    const updates = server.channel("updates");
    return {
      port,
      subscribers: () => updates.subscribers,
      publish: (index) => void updates.publish("changed", event(index)),
    };
  },
};

const contender = await contenders[process.argv[2]]();
const turn = () => new Promise((resolve) => setImmediate(resolve));
/**
 * Microseconds of CPU time spent on publishing. Messages to and from the parent process do not
 * count.
 */
let spent = 0;
process.on("message", async ({ ask, burst }) => {
  if (ask === "subscribers") process.send({ subscribers: contender.subscribers() });
  if (ask === "cpu") {
    process.send({ cpu: spent });
    spent = 0;
  }
  if (ask !== "publish") return;
  const before = process.cpuUsage();
  for (let index = 0; index < burst; index++) contender.publish(index);
  await turn(); // frames that were collected until the end of the turn are sent now
  await turn();
  const { user, system } = process.cpuUsage(before);
  spent += user + system;
});
process.send({ port: contender.port });
