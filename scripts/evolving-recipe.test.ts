import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient, isDeclaredError, isHoldfastError } from "@holdfast/client";
import { defineProtocol, type Protocol, type ProtocolDefinition } from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { createServer } from "@holdfast/server";
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { removeTask, watchVersion } from "../docs/snippets/tasks-client.js";
import { server as v2Server } from "../docs/snippets/tasks-server.js";
import { tasksV1 } from "../docs/snippets/tasks-v1.js";
import { tasksV2 } from "../docs/snippets/tasks-v2.js";

const read = (path: string): Promise<string> => readFile(new URL(`../docs/${path}`, import.meta.url), "utf8");
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Connects a client of one version to a server of another version. */
function connect<const P extends ProtocolDefinition>(protocol: Protocol<P>, port: number) {
  const client = createClient(protocol, { url: `ws://127.0.0.1:${port}/ws` } as never);
  cleanups.push(() => client.disconnect());
  return client;
}
async function listen(server: { listen(port: number): Promise<{ port: number }>; close(): Promise<void> }) {
  cleanups.push(() => server.close());
  return (await server.listen(0)).port;
}

test.each(["tasks-v1", "tasks-v2", "tasks-server", "tasks-client"])(
  "[RE16] the guide to evolving a protocol contains %s unchanged",
  async (name) => {
    const snippet = await read(`snippets/${name}.ts`);
    expect(await read("guides/evolving.md")).toContain(`\`\`\`ts\n// ${name}.ts\n${snippet}\`\`\``);
  },
);

test("[RE16] a client of 1.0.0 works with a server of 1.1.0, and ignores the new event and the new fields", async () => {
  const port = await listen(v2Server);
  const [old, now] = [connect(tasksV1, port), connect(tasksV2, port)];
  const seen: unknown[] = [];
  const errors: unknown[] = [];
  old.onError((error) => errors.push(error));
  for (const client of [old, now])
    client.channel("tasks" as never).on("*" as never, ((event: unknown) => seen.push(event)) as never);
  await Promise.all([old.channel("tasks").join(), now.channel("tasks").join()]);
  const { id } = await old.request("task.add", { text: "Read" });
  expect(await removeTask(now, id)).toBe(true);
  await vi.waitFor(() => expect(seen).toHaveLength(3));
  expect(seen).toContainEqual({ event: "added", data: { id, text: "Read" } });
  expect(seen).toContainEqual({ event: "added", data: { id, text: "Read", title: "Read", priority: "low" } });
  expect(seen).toContainEqual({ event: "removed", data: { id } });
  expect(errors).toEqual([]);
});

test("[RE16] a client of 1.1.0 works with a server of 1.0.0, which does not have the new request", async () => {
  const v1Server = createServer(tasksV1);
  v1Server.handle("task.add", async ({ input }) => {
    expect(input).toEqual({ text: "Read" });
    await v1Server.channel("tasks").publish("added", { id: "1", text: input.text });
    return { id: "1" };
  });
  const client = connect(tasksV2, await listen(v1Server));
  const added = vi.fn();
  client.channel("tasks").on("added", (data) => added(data));
  await client.channel("tasks").join();
  await client.request("task.add", { text: "Read", priority: "high" });
  await vi.waitFor(() => expect(added).toHaveBeenCalledWith({ id: "1", text: "Read", priority: "low" }));
  expect(await removeTask(client, "1")).toBe(false);
});

test("[RE16] a client of another major version closes with UNSUPPORTED_PROTOCOL, and the page offers a reload", async () => {
  const next = createServer(defineProtocol({ ...tasksV2.definition, version: "2.0.0" }));
  const client = connect(tasksV2, await listen(next));
  client.onError(() => {});
  const offerReload = vi.fn();
  watchVersion(client, offerReload);
  await vi.waitFor(() => expect(offerReload).toHaveBeenCalledOnce());
  expect(client.status.get()).toMatchObject({
    name: "closed",
    reason: { code: 4406, error: { code: "PROTOCOL_MISMATCH" } },
  });
});

test("[RE16] the fingerprint ignores version, defaults and descriptions, and changes with a schema", () => {
  const { definition } = tasksV1;
  const same = defineProtocol({ ...definition, version: "1.0.1", description: "Tasks" });
  expect(fingerprint(same)).toBe(fingerprint(tasksV1));
  expect(fingerprint(tasksV2)).not.toBe(fingerprint(tasksV1));
});

/**
 * Sends one request between a client and a server that declare a different output or different
 * errors. Returns the result, or the error, as `error`.
 */
async function answered(
  client: ProtocolDefinition["requests"],
  server: ProtocolDefinition["requests"],
  run: (context: { error: (code: never, data: never) => Error }) => unknown,
) {
  const define = (requests: ProtocolDefinition["requests"]) =>
    defineProtocol({ name: "one", version: "1.0.0", requests: requests! });
  const app = createServer(define(server));
  app.handle("get", run as never);
  const protocol = define(client);
  const error: unknown = await connect(protocol, await listen(app))
    .request("get" as never)
    .catch((cause: unknown) => cause);
  return { protocol, error };
}

test("[RE16] a new value of an enum, a missing member and a narrower type make an old client refuse the answer", async () => {
  const old = { get: { output: z.object({ state: z.enum(["open", "done"]) }) } };
  const now = { get: { output: z.object({ state: z.enum(["open", "done", "late"]).optional() }) } };
  for (const output of [{ state: "late" }, {}])
    expect((await answered(old, now, () => output)).error).toMatchObject({
      code: "INVALID_OUTPUT",
      field: "output.state",
    });
});

test("[RE16] an old client receives a newly declared error as a HoldfastError, which isDeclaredError does not recognise", async () => {
  const errors = { GONE: z.object({ id: z.string() }) };
  const { protocol, error } = await answered({ get: {} }, { get: { errors } }, ({ error: fail }) => {
    throw fail("GONE" as never, { id: "1" } as never);
  });
  expect(error).toMatchObject({ code: "GONE" });
  expect(isHoldfastError(error)).toBe(true);
  expect(isDeclaredError(protocol, "get" as never, error)).toBe(false);
});

test("[RE16] an old client refuses an answer with a new member of a rich type, and drops a new member that JSON can hold", async () => {
  const old = { get: { output: z.object({ id: z.string() }) } };
  const date = { get: { output: z.object({ id: z.string(), at: z.date() }) } };
  expect((await answered(old, date, () => ({ id: "1", at: new Date() }))).error).toMatchObject({
    code: "INVALID_OUTPUT",
  });
  const text = { get: { output: z.object({ id: z.string(), at: z.iso.datetime() }) } };
  expect((await answered(old, text, () => ({ id: "1", at: new Date().toISOString() }))).error).toEqual({ id: "1" });
});

test("[RE16] an old server refuses an input, and an old client an event, with a new member of a rich type", async () => {
  const define = (member: Record<string, z.ZodType>) => {
    const schema = z.object({ id: z.string(), ...member });
    const channels = { news: { events: { added: schema } } };
    return defineProtocol({ name: "two", version: "1.0.0", requests: { put: { input: schema } }, channels });
  };
  const [old, now] = [define({}), define({ at: z.date().optional() })];
  const value = { id: "1", at: new Date() };

  const oldServer = createServer(old);
  oldServer.handle("put", () => {});
  const newClient = connect(now, await listen(oldServer));
  await expect(newClient.request("put", value)).rejects.toMatchObject({ code: "INVALID_INPUT" });

  const newServer = createServer(now);
  const oldClient = connect(old, await listen(newServer));
  const errors: unknown[] = [];
  oldClient.onError((error) => errors.push(error));
  const seen: unknown[] = [];
  oldClient.channel("news").on("added", (data) => seen.push(data));
  await oldClient.channel("news").join();
  await newServer.channel("news").publish("added", value);
  await newServer.channel("news").publish("added", { id: "2" });
  await vi.waitFor(() => expect(seen).toEqual([{ id: "2" }]));
  expect(errors).toMatchObject([{ code: "BAD_MESSAGE" }]);
});

test("[RE16] one http server serves two versions of a protocol on two paths", async () => {
  const http = createHttpServer();
  const next = createServer(defineProtocol({ ...tasksV1.definition, version: "2.0.0" }));
  const last = createServer(tasksV1);
  last.attach(http, { path: "/ws" });
  next.attach(http, { path: "/ws2" });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  cleanups.push(
    () => http.close(),
    () => last.close(),
    () => next.close(),
  );
  const client = connect(tasksV1, (http.address() as AddressInfo).port);
  await vi.waitFor(() => expect(client.status.get().name).toBe("ready"));
});
