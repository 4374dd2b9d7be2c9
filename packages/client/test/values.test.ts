import fc from "fast-check";
import { defineProtocol, HoldfastError } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { isEqual, leadsToFault, samples } from "../../protocol/test/values.js";
import { type ChannelDocument, type Client, createClient, presenceOf, documentOf } from "../src/index.js";

/**
 * Every place that can carry a value of the application. The number distinguishes one document from
 * the next.
 */
const places = defineProtocol({
  name: "places",
  version: "1.0.0",
  requests: {
    take: { input: z.unknown() },
    give: { output: z.any() },
    fail: { errors: { REFUSED: z.any() } },
  },
  channels: {
    room: {
      events: { said: z.any() },
      document: z.object({ number: z.number(), value: z.any() }),
      presence: z.object({ number: z.number(), value: z.any() }),
    },
  },
  direct: { told: z.any() },
});

/** The logged field of the latest output or error that the server could not send. */
let logged: string | undefined;
/** The value that a handler of the server returns, and the value that it received. */
let given: unknown;
let taken: unknown;
const heard: unknown[] = [];
let number = 0;

const server = createServer(places, {
  authenticate: ({ token }) => ({ userId: token }),
  authorize: () => true,
  logger: {
    debug() {},
    info() {},
    warn() {},
    error: (fields: object) => void (logged = (fields as { field?: string }).field),
  },
});
server.handle("take", ({ input }) => void (taken = input));
server.handle("give", () => given);
server.handle("fail", ({ error }) => {
  throw error("REFUSED", given);
});
let client: Client<(typeof places)["definition"]>;
let document: ChannelDocument<{ number: number; value: unknown }>;

beforeAll(async () => {
  const { url } = await server.listen(0, { host: "127.0.0.1" });
  client = createClient(places, { url, token: () => "ann" });
  const room = client.channel("room");
  room.on("said", (data) => heard.push(data));
  client.direct.on("told", (data) => heard.push(data));
  document = documentOf(room);
  document.subscribe(() => undefined);
  await room.join();
});
afterAll(async () => {
  client.disconnect();
  await server.close();
});

const next = async (): Promise<unknown> => {
  await vi.waitUntil(() => heard.length > 0, { interval: 1, timeout: 10_000 });
  return heard.shift();
};

/** Sends the value and returns the value that the peer receives. */
const ways: { readonly [place: string]: (value: unknown) => Promise<unknown> } = {
  async "the input of a request"(value) {
    await client.request("take", value);
    return taken;
  },
  async "the output of a request"(value) {
    given = value;
    return client.request("give");
  },
  async "the data of an error"(value) {
    given = value;
    const error: unknown = await client.request("fail").catch((caught: unknown) => caught);
    if ((error as HoldfastError).code !== "REFUSED") throw error;
    return (error as HoldfastError).data;
  },
  async "an event"(value) {
    await server.channel("room").publish("said", value);
    return next();
  },
  async "a direct event"(value) {
    await server.user("ann").send("told", value);
    return next();
  },
  async "a user's presence"(value) {
    presenceOf(client.channel("room")).set({ number: ++number, value });
    const shown = async () => (await server.channel("room").presence.list())[0]?.data;
    await vi.waitUntil(async () => (await shown())?.number === number, { interval: 1, timeout: 10_000 });
    return (await shown())!.value;
  },
  async "a document"(value) {
    await server.channel("room").document.set({ number: ++number, value });
    await vi.waitUntil(() => document.get()?.number === number, { interval: 1, timeout: 10_000 });
    return document.get()!.value;
  },
};

test.each(Object.keys(ways))(
  "[WR17] in %s a value arrives equal, or is refused with an error whose field leads to the faulty member",
  async (place) => {
    await fc.assert(
      fc.asyncProperty(samples, async (sample) => {
        logged = undefined;
        const outcome = await ways[place]!(sample.value).then(
          (arrived) => ({ arrived }),
          (error: unknown) => {
            if (error instanceof HoldfastError) return error;
            throw error;
          },
        );
        if (!(outcome instanceof HoldfastError)) {
          expect(isEqual(outcome.arrived, sample.value)).toBe(true);
          expect(sample.arrives.elsewhere).toBe(true);
          return;
        }
        // The value is too large for a message. The client throws before anything is sent.
        if (outcome.code === "LIMIT_EXCEEDED") return;
        expect(["INVALID_INPUT", "INVALID_VALUE", "INVALID_OUTPUT"]).toContain(outcome.code);
        const field = (outcome.code === "INVALID_OUTPUT" ? logged : outcome.field)!.replace(/^\w+(\.value)?/, "data");
        expect(leadsToFault(sample, field), outcome.message).toBe(true);
        expect(sample.arrives.elsewhere).toBe(false);
      }),
      { numRuns: 60 },
    );
  },
  120_000,
);

test("[WR17] the call rejects with an error that names path, kind and remedy", async () => {
  const value = { items: [{ at: () => 1 }] };
  await expect(client.request("take", value)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    field: "input.items[0].at",
    message: expect.stringMatching(/input\.items\[0\]\.at.*function/) as unknown,
    remedy: expect.any(String) as unknown,
  });
  await expect(server.channel("room").publish("said", value)).rejects.toMatchObject({
    code: "INVALID_VALUE",
    field: "data.items[0].at",
    message: expect.stringMatching(/said.*room.*function/) as unknown,
    remedy: expect.any(String) as unknown,
  });
  await expect(server.channel("room").document.set({ number: 0, value })).rejects.toMatchObject({
    field: "document.value.items[0].at",
    remedy: expect.any(String) as unknown,
  });
  expect(() => presenceOf(client.channel("room")).set({ number: 0, value })).toThrow(
    expect.objectContaining({
      field: "data.value.items[0].at",
      remedy: expect.any(String),
    }),
  );
});
