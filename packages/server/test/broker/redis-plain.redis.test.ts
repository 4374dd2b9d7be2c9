import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { expect, test } from "vitest";
import { MemoryTransport } from "../../src/testing.js";
import { agents } from "../support/basic-server.js";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";

test.each([false, true])(
  "[TW1] broadcasts and events without history arrive through Redis, server started before Redis: %s",
  async (serverFirst) => {
    const ends: (() => unknown)[] = [];
    const redis = new RedisHarness({ onTestFinished: (end: () => unknown) => void ends.push(end) } as never);
    const store = await redis.redis();
    if (serverFirst) await store.kill();
    const server = createServer(agents, { broker: redisBroker({ url: store.url }) });
    redis.endsWith(() => server.close({ graceMs: 0 }));
    try {
      if (serverFirst) {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await store.start();
      }
      await until(() => server.isReady);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const transport = new MemoryTransport(server);
      const connected = await transport.connect();
      if (!connected.ok) throw new Error("refused");
      const frames: string[] = [];
      const has = (text: string) => (transport.flush(), frames.some((frame) => frame.includes(text)));
      connected.socket.onFrame = (frame) => void frames.push(frame);
      connected.socket.send(JSON.stringify({ type: "subscribe", data: { channels: ["updates"] } }));
      await until(() => has("subscribe_response"));
      await server.broadcast("announcement", { text: "to all" });
      await server.channel("updates").publish("changed", { id: "to members" });
      await until(() => has("to all") && has("to members"));
      expect(frames.filter((frame) => frame.includes('"type":"event"'))).toHaveLength(2);
    } finally {
      for (const end of ends) await end();
    }
  },
);
