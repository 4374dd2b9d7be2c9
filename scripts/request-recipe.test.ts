import { readFile } from "node:fs/promises";
import { createServer as listenTcp, connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { createClient, isHoldfastError } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { createReport, latestSearch } from "../docs/snippets/reports-client.js";
import { findReports } from "../docs/snippets/reports-database.js";
import { reports } from "../docs/snippets/reports-protocol.js";
import { server } from "../docs/snippets/reports-server.js";

const read = (path: string): Promise<string> => readFile(new URL(`../docs/${path}`, import.meta.url), "utf8");

/** The code of the error that a call rejects with. */
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "no error",
    (error: unknown) => (isHoldfastError(error) ? error.code : String(error)),
  );

test.each(["reports-protocol", "reports-server", "reports-client"])(
  "[RE14] the guide to requests contains %s unchanged, and the file fits a screen",
  async (name) => {
    const snippet = await read(`snippets/${name}.ts`);
    expect(await read("guides/requests.md")).toContain(`\`\`\`ts\n// ${name}.ts\n${snippet}\`\`\``);
    expect(snippet.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
  },
);

describe("the recipe of the guide to requests", () => {
  let url: string;
  const client = (token: string, to = url) => createClient(reports, { url: to, token });

  beforeAll(async () => {
    url = `ws://127.0.0.1:${(await server.listen(0)).port}/ws`;
  });
  afterAll(() => server.close());

  test("[RE14] an editor creates a report once per title, and a declared error carries the id of the other report", async () => {
    const editor = client("editor");
    expect(await createReport(editor, "Sales")).toMatch(/^Created /);
    const [found] = await editor.request("report.search", { text: "Sales" });
    expect(await createReport(editor, "Sales")).toContain(found!.id);
    expect(await createReport(editor, "")).toBe("Enter a title.");
    editor.disconnect();
    expect(await createReport(editor, "Costs")).toContain("Try again later");
  });

  test("[RE14] the middleware refuses a mutation by a reader and allows a query", async () => {
    const reader = client("reader");
    expect(await createReport(reader, "Plans")).toBe("Only editors may change reports.");
    expect(await reader.request("report.search", { text: "Plans" })).toEqual([]);
    reader.disconnect();
  });

  test("[RE14] a new search cancels the previous search and aborts the signal of its handler", async () => {
    const reader = client("reader");
    await vi.waitFor(() => expect(reader.status.get().name).toBe("ready"));
    const search = latestSearch(reader);
    const first = codeOf(search("S"));
    const second = search("Sales");
    expect(await first).toBe("CANCELLED");
    expect(await second).toHaveLength(1);
    await expect(findReports(new Map(), "", AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
    reader.disconnect();
  });
});

const kinds = defineProtocol({
  name: "kinds",
  version: "1.0.0",
  requests: {
    query: { kind: "query", output: z.number() },
    mutation: { kind: "mutation", output: z.number() },
    once: { output: z.number() },
    queued: { output: z.number() },
  },
});

test("[RE14] after a drop the client sends a query again, and a mutation or once request in flight rejects with CONNECTION_LOST", async () => {
  const calls: string[] = [];
  let hold = true;
  const counting = createServer(kinds, { limits: { requestsInFlight: 3 } });
  for (const name of ["query", "mutation", "once", "queued"] as const)
    counting.handle(name, ({ signal }) => {
      calls.push(name);
      if (!hold) return calls.length;
      return new Promise<number>((_, reject) => signal.addEventListener("abort", () => reject(new Error("gone"))));
    });
  const { port } = await counting.listen(0);
  const sockets = new Set<Socket>();
  const proxy = listenTcp((socket) => {
    const to = connectTcp(port, "127.0.0.1");
    for (const end of [socket, to]) end.on("error", () => {});
    socket.pipe(to).pipe(socket);
    socket.on("close", () => to.destroy());
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const url = `ws://127.0.0.1:${(proxy.address() as AddressInfo).port}/ws`;
  const client = createClient(kinds, { url, retry: { minMs: 1, maxMs: 10 } });
  await vi.waitFor(() => expect(client.status.get().name).toBe("ready"));
  const query = client.request("query");
  const lost = [codeOf(client.request("mutation")), codeOf(client.request("once"))];
  const queued = client.request("queued"); // the fourth request: the server allows three in flight
  await vi.waitFor(() => expect(calls).toEqual(["query", "mutation", "once"]));
  hold = false;
  for (const socket of sockets) socket.destroy();
  expect(await Promise.all(lost)).toEqual(["CONNECTION_LOST", "CONNECTION_LOST"]);
  client.connect();
  await Promise.all([query, queued]);
  expect(calls).toEqual(["query", "mutation", "once", "query", "queued"]);
  client.disconnect();
  await counting.close();
  proxy.close();
});

test("[RE14] each way in which a handler can fail gives the client the code of the guide's table", async () => {
  const failing = defineProtocol({
    name: "failing",
    version: "1.0.0",
    requests: {
      fail: {
        input: z.enum(["declared", "refusal", "other", "library", "output", "data", "slow"]),
        output: z.string(),
        errors: { TAKEN: z.object({ id: z.string() }) },
      },
    },
    channels: { news: { events: { headline: z.string() } } },
  });
  const logged: unknown[] = [];
  const log = (fields: object): void => void logged.push(fields);
  const logger = { debug: () => {}, info: () => {}, warn: log, error: log };
  const app = createServer(failing, { logger });
  app.handle("fail", async ({ input, error }) => {
    if (input === "declared") throw error("TAKEN", { id: "r1" });
    if (input === "refusal") throw error("RATE_LIMITED", "Too many reports.", { retryAfterMs: 2_000 });
    if (input === "other") throw new Error("secret detail");
    if (input === "library") await app.channel("news").publish("headline", 1 as never);
    if (input === "data") throw error("TAKEN", { id: 1 as never });
    if (input === "slow") await new Promise(() => {});
    return 1 as never;
  });
  const { port } = await app.listen(0);
  const client = createClient(failing, { url: `ws://127.0.0.1:${port}/ws` });
  const fail = (input: "declared" | "refusal" | "other" | "library" | "output" | "data") =>
    client.request("fail", input).catch((error: unknown) => error);
  expect(await fail("declared")).toMatchObject({ code: "TAKEN", data: { id: "r1" } });
  expect(logged).toEqual([]);
  expect(await fail("refusal")).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 2_000 });
  expect(logged).toEqual([]);
  const other = await fail("other");
  expect(other).toMatchObject({ code: "INTERNAL" });
  expect(String((other as Error).message)).not.toContain("secret");
  expect(await fail("library")).toMatchObject({ code: "INTERNAL" });
  expect(await fail("output")).toMatchObject({ code: "INVALID_OUTPUT" });
  expect(await fail("data")).toMatchObject({ code: "INVALID_OUTPUT" });
  expect(logged).toHaveLength(4);
  expect(await codeOf(client.request("fail", "slow", { timeoutMs: 30 }))).toBe("TIMEOUT");
  client.disconnect();
  await app.close();
});
