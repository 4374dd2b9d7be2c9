import { describe, expect, test } from "vitest";
import { agents } from "../test/support/basic-server.js";
import { createServer } from "./create-server.js";
import { defineProtocol } from "@holdfast/protocol";

describe("[OP1] createServer throws INVALID_OPTION with the option's name as field for the wrong option", () => {
  test.each([
    [{ authTimeoutMs: 0 }, "authTimeoutMs"],
    [{ heartbeat: { intervalMs: -1 } }, "heartbeat.intervalMs"],
    [{ heartbeat: { timeoutMs: Number.NaN } }, "heartbeat.timeoutMs"],
    [{ limits: { messageBytes: "64kb" as unknown as number } }, "limits.messageBytes"],
    [{ limits: { conections: 5 } as object }, "limits.conections"],
    [{ requestTimeoutMs: Number.POSITIVE_INFINITY }, "requestTimeoutMs"],
    [{ authTimeoutMs: 2 ** 31 }, "authTimeoutMs"],
    [{ limits: { subscriptions: Number.POSITIVE_INFINITY } }, "limits.subscriptions"],
    [{ limits: { messageBytes: 1.5 } }, "limits.messageBytes"],
    [{ origins: ["app.example.com"] }, "origins"],
    [{ origins: ["https://*.example.com"] }, "origins"],
    [{ origins: ["https://app.example.com/path"] }, "origins"],
    [{ credentials: { cookie: "sid" } }, "credentials"],
    [{ credentials: { queryToken: true } }, "credentials"],
    [{ auth: () => ({ userId: "u" }) } as object, "auth"],
    [{ authenticate: "secret" as never }, "authenticate"],
    [{ authorize: true as never }, "authorize"],
    [{ queryToken: true } as object, "queryToken"],
    [{ credentials: { querytoken: true } as object }, "credentials.querytoken"],
    [{ authenticate: () => ({ userId: "u" }), credentials: { queryToken: "yes" as never } }, "credentials.queryToken"],
    [{ heartbeat: 5 as never }, "heartbeat"],
    [{ heartbeat: { interval: 5 } as object }, "heartbeat.interval"],
    [{ logger: true as never }, "logger"],
    [{ logger: { info() {} } as never }, "logger"],
    [{ origins: "https://app.example.com" as never }, "origins"],
    [{ sessionResumeMs: -1 }, "sessionResumeMs"],
    [{ presenceGraceMs: Number.POSITIVE_INFINITY }, "presenceGraceMs"],
    [{ devices: { perUser: 0 } }, "devices.perUser"],
    [{ devices: { whenFull: "panic" as never } }, "devices.whenFull"],
    [{ devices: { limit: 5 } as object }, "devices.limit"],
    [{ credentials: { ticket: true } }, "credentials"],
    [{ credentials: { message: false } }, "credentials"],
    [{ authenticate: () => ({ userId: "u" }), credentials: { ticket: 1 as never } }, "credentials.ticket"],
    [{ sessionData: {} as never }, "sessionData"],
    [{ presence: { board: 5 } as object }, "presence.board"],
    [null as never, "options"],
    [[] as never, "options"],
    // With options in a Promise that is not awaited, the server would have no `authenticate`.
    [Promise.resolve({ authenticate: () => ({ userId: "u" }) }) as never, "options"],
    [new Map() as never, "options"],
    [{ limits: new Map([["connections", 1]]) as never }, "limits"],
    [{ credentials: Promise.resolve({}) as never }, "credentials"],
    [{ presence: new Map() as never }, "presence"],
    [{ documents: [] as never }, "documents"],
  ])("%j", (options, field) => {
    expect(() => createServer(agents, options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION", field }));
  });
});

test.each([
  [{ limits: { messageBytes: 1_023 } }, { limits: { messageBytes: 1_024 } }, "limits.messageBytes", "1024"],
  [{ limits: { subscriptions: 10_001 } }, { limits: { subscriptions: 10_000 } }, "limits.subscriptions", "10000"],
  [
    { limits: { presencePerChannel: 10_001 } },
    { limits: { presencePerChannel: 10_000 } },
    "limits.presencePerChannel",
    "10000",
  ],
  [{ devices: { perUser: 10_001 } }, { devices: { perUser: 10_000 } }, "devices.perUser", "10000"],
])(
  "[OP3] createServer refuses %j with the bound in the error, and accepts %j",
  async (refused, accepted, field, limit) => {
    expect(() => createServer(agents, refused)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field, message: expect.stringContaining(limit) }),
    );
    await createServer(agents, accepted).close();
  },
);

describe("[OP2] createServer throws INVALID_OPTION instead of ignoring", () => {
  test("a protocol that requires a device id, if there is no `authenticate`", () => {
    const protocol = defineProtocol({ name: "p", version: "1.0.0", requests: { a: {} }, deviceId: "required" });
    expect(() => createServer(protocol)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "authenticate" }),
    );
  });

  test("a value that is not a protocol", () => {
    expect(() => createServer({ name: "agents" } as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "protocol" }),
    );
  });
});
