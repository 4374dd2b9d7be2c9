import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { answers, connected, refuses } from "../test/support/behaviours.js";
import { agents } from "../test/support/agents.js";
import { settle, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { createClient } from "./create-client.js";

withFakeTime();

const rooms = defineProtocol({
  name: "rooms",
  version: "0.3.0",
  parameters: z.object({
    sessionId: z.string(),
    page: z.optional(z.coerce.number()),
    since: z.optional(z.coerce.date()),
  }),
  channels: { room: { events: { said: z.string() } } },
});

describe("Connection parameters", () => {
  test("[CN12] parameters are sent in the query string of every attempt", async () => {
    const parameters = { sessionId: "a b&c", page: 2, since: new Date(0), unknown: "dropped" };
    const { world } = testClientOf(rooms, answers(), { parameters });
    await settle();
    expect(world.sockets.last.target.url).toBe(
      "ws://localhost/ws?sessionId=a%20b%26c&page=2&since=1970-01-01T00%3A00%3A00.000Z",
    );
  });

  test("[CN12] createClient refuses a wrong parameter with the parameter's name in `field`", () => {
    expect(() => createClient(rooms, { url: "ws://localhost/ws", parameters: { sessionId: 1 as never } })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "parameters.sessionId" }),
    );
  });

  test("[CN12] if the server refuses a parameter, the client stops and the reason names the parameter", async () => {
    const { client } = testClientOf(rooms, refuses(1008, "sessionId: is not known"), {
      parameters: { sessionId: "s" },
    });
    await settle();
    expect(client.status.get()).toMatchObject({
      name: "closed",
      reason: { name: "POLICY", message: expect.stringContaining("sessionId: is not known") },
    });
  });
});

test("[CN7] before version 1.0.0 client and server must share the minor version", async () => {
  const running = (version: string) =>
    answers({ connected: connected({ protocol: { name: "rooms", version, fingerprint: "x" } }) });
  const parameters = { sessionId: "s" };
  const [same, other] = ["0.3.9", "0.4.0"].map((version) => testClientOf(rooms, running(version), { parameters }));
  await settle();
  expect(same!.client.status.get().name).toBe("ready");
  expect(other!.client.status.get().name).toBe("closed");
});

test("[CN20] createClient without deviceId throws INVALID_OPTION if the protocol requires it", () => {
  const devices = defineProtocol({ name: "devices", version: "1.0.0", deviceId: "required" });
  expect(() => createClient(devices, { url: "ws://localhost/ws" } as never)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field: "deviceId" }),
  );
});

test.each([
  ["protocol", { ...agents }, { url: "ws://localhost/ws" }],
  ["url", agents, {}],
  ["url", agents, { url: "localhost" }],
  ["requestTimeoutMs", agents, { url: "ws://localhost/ws", requestTimeoutMs: "5" }],
  ["connectTimeoutMs", agents, { url: "ws://localhost/ws", connectTimeoutMs: -5 }],
])("[CN13] createClient with a wrong %s throws INVALID_OPTION", (field, protocol, options) => {
  expect(() => createClient(protocol as typeof agents, options as never)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field }),
  );
});
