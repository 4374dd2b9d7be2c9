import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { answers, refuses, refusesToken } from "../test/support/behaviours.js";
import { agents } from "../test/support/agents.js";
import { testClient } from "../test/support/test-client.js";
import { createClient } from "./create-client.js";
import { host } from "./host.js";
import { unawaited as unawaitedInPage } from "./page/unawaited.js";

afterEach(() => vi.restoreAllMocks());
const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

describe("a call that is not awaited", () => {
  test("[AM3] a failed request is reported with the request's name, unless the caller handles the rejection", async () => {
    const { client, world } = testClient();
    void client.request("agent.start", { program: 1 } as never);
    await vi.waitFor(() => expect(world.errors).toHaveLength(1), 4_000);
    expect(world.errors).toMatchObject([
      { error: { code: "INVALID_INPUT" }, context: { source: "call", request: "agent.start" } },
    ]);
    await expect(client.request("agent.start", { program: 1 } as never)).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await turn();
    expect(world.errors).toHaveLength(1);
    client.disconnect();
  });

  test("[AM3] a failed join() is reported with the channel's id", async () => {
    const { client, world } = testClient(refuses(4403, "suspended"));
    void client.channel("board", "b1").join();
    await vi.waitFor(() => expect(world.errors).toHaveLength(1), 4_000);
    expect(world.errors).toMatchObject([
      { error: { code: "NOT_CONNECTED" }, context: { source: "call", channel: "board:b1" } },
    ]);
    client.disconnect();
  });

  test("[AM3] a call that ends because of leave() or disconnect() is not reported", async () => {
    const { client, world } = testClient();
    const channel = client.channel("board", "b1");
    void channel.join();
    channel.leave();
    void channel.join();
    void client.request("agents.list");
    void client.request("agent.start", { program: "ls" });
    client.disconnect();
    await turn();
    expect(world.errors).toEqual([]);
  });

  test("[AM3] an awaited call rejects with the error", async () => {
    const { client } = testClient();
    const channel = client.channel("board", "b1");
    const [joining, asked] = [channel.join(), client.request("agents.list")];
    channel.leave();
    client.disconnect();
    await expect(joining).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(asked).rejects.toMatchObject({ code: "NOT_CONNECTED" });
  });

  test("[AM3] a page's production build leaves the rejection to the browser", () => {
    const work = Promise.resolve(1);
    expect(unawaitedInPage(work)).toBe(work);
  });
});

const unreachable = { url: "ws://localhost:1/ws", autoConnect: false } as const;

describe("an error without a caller", () => {
  const throwing = () => {
    throw new Error("a bug");
  };

  test("[AM4] goes to the console, unless there is a logger or a listener of onError", async () => {
    const told = vi.spyOn(host.console!, "error").mockImplementation(() => {});
    const quiet = createClient(agents, { ...unreachable, logger: { debug() {}, info() {}, warn() {}, error() {} } });
    const heard = createClient(agents, unreachable);
    const errors = vi.fn();
    heard.onError(errors);
    const alone = createClient(agents, unreachable);
    for (const client of [quiet, heard, alone]) {
      onChange(client.status, throwing);
      client.disconnect();
    }
    expect(errors).toHaveBeenCalledTimes(1);
    expect(told.mock.calls).toEqual([[expect.objectContaining({ code: "HANDLER_FAILED" }), { source: "listener" }]]);
  });

  test("[AM4] goes to the console if a listener of onError throws", () => {
    const told = vi.spyOn(host.console!, "error").mockImplementation(() => {});
    const client = createClient(agents, unreachable);
    client.onError(throwing);
    onChange(client.status, throwing);
    client.disconnect();
    expect(told).toHaveBeenCalledTimes(1);
  });

  test("[AM5] a listener or logger that rejects, or a logger that throws, does not end the process", async () => {
    const line = vi.fn(() => Promise.reject(new Error("disk full")) as never);
    const { client, world } = testClient(answers(), {
      logger: { debug: throwing, info: line, warn: line, error: line },
    });
    onChange(client.status, () => Promise.reject(new Error("a bug")) as never);
    client.onError(() => Promise.reject(new Error("another bug")) as never);
    await turn();
    expect(client.status.get().name).toBe("ready");
    expect(world.errors[0]).toMatchObject({ error: { code: "HANDLER_FAILED" }, context: { source: "listener" } });
    client.disconnect();
    await turn();
  });
});

describe("the reason for a missing connection", () => {
  async function failures(url: string) {
    const client = createClient(agents, { url, retry: { minMs: 5, maxMs: 10 } });
    const options = { timeoutMs: 400 };
    const told = await Promise.all([
      client.request("agents.list", undefined, options).catch((error: unknown) => error),
      client
        .channel("board", "b1")
        .join(options)
        .catch((error: unknown) => error),
    ]);
    client.disconnect();
    return told as (Error & { code: string; cause?: unknown; remedy?: string })[];
  }

  test("[RQ19] TIMEOUT of a server that is down contains address and cause, but no token", async () => {
    for (const error of await failures("ws://me:secret@127.0.0.1:1/ws?token=secret")) {
      expect(error).toMatchObject({ code: "TIMEOUT", cause: { code: "ECONNREFUSED" } });
      for (const fact of ["400 ms", "ws://127.0.0.1:1/ws", "ECONNREFUSED"]) expect(error.message).toContain(fact);
      expect(error.remedy).toContain("ws://127.0.0.1:1/ws");
      expect(JSON.stringify([error.message, error.remedy])).not.toContain("secret");
    }
  });

  test("[RQ19] TIMEOUT of an unknown host name contains the system's error code", async () => {
    const [error] = await failures("ws://no-such-name.invalid/ws");
    expect(error!.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  test.each([
    [404, true],
    [200, true],
    [502, false],
  ])("[RQ19] TIMEOUT of a server that answers HTTP %i contains the status", async (status, namesPath) => {
    const http = createServer((_request, response) => response.writeHead(status).end());
    http.on("upgrade", (_request, socket) =>
      socket.on("error", () => {}).end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`),
    );
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    for (const error of await failures(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`)) {
      expect(error.message).toContain(`HTTP ${status}`);
      expect(/\bpath\b/.test(error.message)).toBe(namesPath);
    }
    http.closeAllConnections();
    http.close();
  });

  test.each<[string, () => unknown, unknown]>([
    ["throws", () => Promise.reject(new Error("no session")), { message: "no session" }],
    ["returns no string", () => 5, expect.any(TypeError)],
    ["does not answer", () => new Promise(() => undefined), { name: "TOKEN_FAILED" }],
  ])("[RQ19] TIMEOUT with a token function that %s has a remedy for the function", async (_what, token, cause) => {
    const client = createClient(agents, { ...unreachable, token: token as () => string, connectTimeoutMs: 50 });
    client.connect();
    await expect(client.request("agents.list", undefined, { timeoutMs: 100 })).rejects.toMatchObject({
      code: "TIMEOUT",
      remedy: expect.stringContaining("connectTimeoutMs") as unknown,
      cause,
    });
    client.disconnect();
  });

  test("[CN26] a token with a lone surrogate closes the client at once and is not sent", async () => {
    const { client, world } = testClient(answers(), { token: "a\ud800" });
    await turn();
    expect(world.sockets.attempts).toEqual([]);
    await expect(client.request("agents.list")).rejects.toMatchObject({
      code: "NOT_CONNECTED",
      cause: { code: "INVALID_VALUE", field: "token" },
    });
  });

  test("[RQ19] NOT_CONNECTED contains the close code, the server's reason and a remedy that works", async () => {
    const { client } = testClient(refuses(4403, "suspended"));
    await turn();
    await expect(client.request("agents.list")).rejects.toMatchObject({
      code: "NOT_CONNECTED",
      message: expect.stringMatching(/ws:\/\/localhost\/ws.*suspended/) as unknown,
      remedy: expect.stringContaining("connect()") as unknown,
      cause: { code: 4403, name: "FORBIDDEN" },
    });
  });

  test("[RQ19] NOT_CONNECTED without a token or with a refused token has the remedy to log in", async () => {
    const remedy = expect.stringMatching(/`token`.*connect\(\)/) as unknown;
    const without = testClient(answers(), { token: () => null });
    await turn();
    await expect(without.client.request("agents.list")).rejects.toMatchObject({
      code: "NOT_CONNECTED",
      cause: { name: "NO_TOKEN" },
      remedy,
    });
    const refused = testClient(refusesToken());
    await turn();
    await expect(refused.client.request("agents.list")).rejects.toMatchObject({
      code: "NOT_CONNECTED",
      remedy,
      cause: { code: "UNAUTHENTICATED" },
    });
  });
});

describe("a path as the address outside a page", () => {
  test("[CN23] creates the client without a connection; after connect() a request rejects with NOT_CONNECTED, caused by INVALID_OPTION for `url`", async () => {
    const { client, world } = testClient(answers(), { url: "/ws" });
    await turn();
    expect(world.sockets.attempts).toEqual([]);
    expect(client.status.get().name).toBe("idle");
    client.connect();
    await turn();
    expect(world.sockets.attempts).toEqual([]);
    await expect(client.request("agents.list")).rejects.toMatchObject({
      code: "NOT_CONNECTED",
      cause: { code: "INVALID_OPTION", field: "url" },
    });
  });
});
