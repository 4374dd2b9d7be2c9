// The instance that sizing.mjs measures. This program talks to its parent process by IPC.
import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import * as z from "zod";

const { redis } = JSON.parse(process.argv[2]);
const history = { size: 256, ttlMs: 600_000 };
const said = { events: { said: z.object({ text: z.string() }) }, history };
const protocol = defineProtocol({
  name: "sizing",
  version: "1.0.0",
  channels: { news: said, room: { key: z.string(), ...said } },
});
const server = createServer(protocol, {
  authenticate: ({ token }) => ({ userId: token }),
  limits: { connections: 100_000, subscribersPerChannel: 100_000 },
  ...(redis && {
    broker: (await import("@holdfast/server/redis")).redisBroker({ url: `redis://127.0.0.1:${redis}` }),
  }),
});
const { port } = await server.listen(0, { host: "127.0.0.1" });

/** An event with this text has about 200 bytes. */
const text = "x".repeat(160);

async function answer(question) {
  if (question === "collect") {
    globalThis.gc();
    return process.memoryUsage().heapUsed;
  }
  if (question.fill) {
    const { channels, events, key, name } = question.fill;
    for (let channel = 0; channel < channels; channel++) {
      const room = server.channel("room", `${name}-${channel}`);
      const all = Array.from({ length: events }, (_, index) =>
        room.publish("said", { text }, key ? { idempotencyKey: `${name}-${index}-of-22-chars` } : {}),
      );
      await Promise.all(all);
    }
    return "done";
  }
  const cpu = process.cpuUsage();
  for (let done = 0; done < question.publish; done += 50)
    await Promise.all(Array.from({ length: 50 }, () => server.channel("room", "busy").publish("said", { text })));
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / question.publish;
}

process.on("message", (question) => answer(question).then((result) => process.send(result)));
process.send({ port });
