import { presenceOf, documentOf } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { MemoryClients } from "./support/memory-clients.js";
import { auth, subscribe } from "./support/identity-server.js";
import { ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

/** The key schemas of these channels transform the key. */
const names = defineProtocol({
  name: "names",
  version: "1.0.0",
  channels: {
    lower: {
      key: z.string().trim().toLowerCase(),
      events: { tick: z.number() },
      presence: z.object({ name: z.string() }),
      history: { size: 16, ttlMs: 60_000 },
    },
    board: { key: z.string().toUpperCase(), document: z.object({ title: z.string() }) },
  },
});

function create() {
  const environment = new VirtualEnvironment();
  const asked: unknown[] = [];
  const server = createServer(names, {
    environment,
    authenticate: ({ token }) => ({ userId: token }),
    authorize: ({ channel, key }) => {
      asked.push([channel, key]);
      return true;
    },
  });
  const harness = new ServerHarness(server, environment);
  const connect = async (token: string, ...more: object[]) => {
    const peer = await harness.connect();
    await peer.send(auth(token), ...(more as Record<string, unknown>[]));
    return peer;
  };
  return { environment, server, harness, connect, asked };
}

describe("a channel whose key schema transforms the key", () => {
  test("[SU21] unsubscribe accepts every spelling that subscribe accepts, and the answer names the channel in its canonical form", async () => {
    const { server, connect, asked } = create();
    const peer = await connect("ada", subscribe("lower:ABC", "lower:Abc"));
    expect(peer.last("subscribe_response").data.subscribed).toEqual(["lower:abc", "lower:abc"]);
    expect(asked[0]).toEqual(["lower", "abc"]);
    await peer.send({ type: "unsubscribe", correlation_id: "u", data: { channels: ["lower:aBC", "nope:X"] } });
    expect(peer.last("unsubscribe_response").data).toEqual({ success: true, unsubscribed: ["lower:abc", "nope:X"] });
    expect(server.channel("lower", "ABC").subscribers).toBe(0);
    await server.channel("lower", "abc").publish("tick", 1);
    expect(peer.of("event")).toEqual([]);
  });

  test("[SU21] set_presence and positions accept every spelling of the channel", async () => {
    const { server, connect, harness } = create();
    const ada = await connect("ada", subscribe("lower:ABC"), {
      type: "set_presence",
      channel: "lower:aBc",
      data: { name: "Ada" },
    });
    await harness.advance(1_000);
    expect(ada.last("presence").data.joined).toMatchObject([{ user_id: "ada", data: { name: "Ada" } }]);
    const [result] = ada.last("subscribe_response").data.results;
    const position = (result as { position: unknown }).position;
    await server.channel("lower", "Abc").publish("tick", 7);
    const bob = await connect("bob", {
      type: "subscribe",
      correlation_id: "s",
      data: { channels: [{ channel: "lower:ABC", position }] },
    });
    await harness.advance(1_000);
    expect(bob.last("subscribe_response").data.results).toMatchObject([
      { ok: true, channel: "lower:abc", missed: [{ data: 7 }] },
    ]);
  });

  test("[SU21] channel handles of client and server refer to the same channel, whatever the spelling", async () => {
    const { server, environment, harness } = create();
    const net = new MemoryClients(() => harness, environment.random);
    const { clock } = environment;
    const client = net.clientOf(names, "ada", clock);
    const heard: number[] = [];
    const upper = client.channel("lower", "ABC");
    const lower = client.channel("lower", "abc");
    upper.on("tick", (value) => void heard.push(value));
    lower.on("tick", (value) => void heard.push(value));
    presenceOf(upper).set({ name: "Ada" });
    const board = documentOf(client.channel("board", "abc"));
    board.subscribe(() => {});
    await server.channel("board", "aBc").document.set({ title: "A" });
    await harness.advance(60_000);
    await server.channel("lower", "aBC").publish("tick", 1);
    await harness.advance(1_000);
    expect(heard).toEqual([1, 1]);
    expect(server.channel("lower", "Abc").subscribers).toBe(1);
    expect(board.get()).toEqual({ title: "A" });
    upper.leave();
    await harness.advance(1_000);
    expect(server.channel("lower", "ABC").subscribers).toBe(1);
    lower.leave();
    await harness.advance(1_000);
    expect(server.channel("lower", "ABC").subscribers).toBe(0);
    client.disconnect();
    await harness.settle();
  });
});
