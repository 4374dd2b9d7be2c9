import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createClient } from "@holdfast/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { SESSION_DELETED, sessionSync } from "../src/protocol.js";
import { start } from "./start-example.js";
import { design, refusal, soon, watch } from "./watcher.js";

/** A plain WebSocket that records the received frames, the close code and the close reason. */
function plain(port: number, query: string) {
  const socket = new WebSocket(`ws://localhost:${port}/ws?token=abc123${query}`);
  onTestFinished(() => socket.terminate());
  const frames: { type: string; data?: unknown; metadata?: unknown }[] = [];
  socket.on("message", (frame: Buffer) => void frames.push(JSON.parse(frame.toString()) as (typeof frames)[number]));
  const closed = once(socket, "close").then(([code, reason]: unknown[]) => [code, String(reason)]);
  return { socket, frames, closed };
}

test("[SX1] a connection with a missing or invalid sessionId is closed with 1008 and the name of the parameter", async () => {
  const { port } = await start();
  for (const query of ["", "&sessionId=", "&sessionId=abc", `&sessionId=${randomUUID()}0`]) {
    const [code, reason] = await plain(port, query).closed;
    expect([query, code, reason]).toEqual([query, 1008, expect.stringContaining("sessionId")]);
  }
  const { frames, socket } = plain(port, `&sessionId=${randomUUID()}`);
  await vi.waitFor(() => expect(frames[0]?.type).toBe("connected"), soon);
  socket.close();
});

test("[SX2] a connection can join only the channel of its own session, and its requests concern only this session", async () => {
  const { port } = await start();
  const [own, other] = [randomUUID(), randomUUID()];
  const owner = await watch(port, other);
  await owner.client.request("session.create", design);
  const { client } = await watch(port, own);
  await expect(client.channel("session", other).join()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await refusal(client.request("session.get"))).toEqual({ code: "SESSION_NOT_FOUND", data: { sessionId: own } });
  expect(await refusal(client.request("session.delete"))).toMatchObject({ code: "SESSION_NOT_FOUND" });
  expect((await owner.client.request("session.get")).version).toBe(1);
});

test("[SX3] every request to a missing session is answered with SESSION_NOT_FOUND, and session.create of an existing session with SESSION_EXISTS", async () => {
  const { port } = await start();
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  const answers = [
    client.request("session.get"),
    client.request("session.resume"),
    client.request("session.pause"),
    client.request("session.switchCycle", { cycle: 1 }),
    client.request("participant.add", { name: "Ada" }),
    client.request("session.delete"),
  ];
  for (const answer of await Promise.all(answers.map(refusal)))
    expect(answer).toEqual({ code: "SESSION_NOT_FOUND", data: { sessionId } });

  expect(await client.request("session.create", design)).toEqual({ version: 1 });
  expect(await client.request("session.get")).toMatchObject({
    sessionId,
    title: "Design review",
    cycle: 0,
    version: 1,
  });
  expect(await refusal(client.request("session.create", design))).toEqual({
    code: "SESSION_EXISTS",
    data: { sessionId },
  });
});

test("[SX8] every watcher of a session receives each change, and watchers of other sessions receive none", async () => {
  const { port } = await start();
  const sessionId = randomUUID();
  const [one, two] = [await watch(port, sessionId), await watch(port, sessionId)];
  const stranger = await watch(port, randomUUID());
  await one.client.request("session.create", design);
  await one.client.request("session.resume");
  await two.client.request("session.switchCycle", { cycle: 1 });
  const { participantId } = await two.client.request("participant.add", { name: "Edsger" });
  await one.client.request("session.pause");
  for (const { reach, seen } of [one, two].map((watcher) => ({
    reach: watcher.reach.bind(watcher),
    seen: watcher.seen,
  }))) {
    const session = await reach(5);
    expect(session).toMatchObject({ cycle: 2, phase: { name: "paused" }, sessionId });
    expect(session.participants.map(({ name }) => name)).toEqual(["Ada", "Grace", "Edsger"]);
    expect(session.participants.at(-1)?.id).toBe(participantId);
    expect(seen.map((state) => state?.version)).toEqual([undefined, 1, 2, 3, 4, 5]);
  }
  expect(one.session).toEqual(two.session);
  expect(stranger.seen).toEqual([undefined]);
});

test("[SX6] of two concurrent session.switchCycle requests one succeeds, and the other is answered with CYCLE_OVER and the current cycle", async () => {
  const { port } = await start();
  const sessionId = randomUUID();
  const [one, two] = [await watch(port, sessionId), await watch(port, sessionId)];
  await one.client.request("session.create", design);
  await one.client.request("session.resume");
  const press = ({ client }: typeof one) =>
    client.request("session.switchCycle", { cycle: 1 }).then(
      () => "done",
      (error: unknown) => error as { code: string; data: unknown },
    );
  const answers = await Promise.all([press(one), press(two)]);
  expect(answers).toContain("done");
  expect(answers.find((answer) => answer !== "done")).toMatchObject({ code: "CYCLE_OVER", data: { cycle: 2 } });
  expect((await one.reach(3)).cycle).toBe(2);
});

test("[SX3] of two concurrent session.create requests one succeeds, and the other is answered with SESSION_EXISTS", async () => {
  const { port } = await start();
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  const both = [design, { ...design, title: "Other" }].map((input) => client.request("session.create", input));
  const answers = await Promise.allSettled(both);
  expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const [won, lost] = answers[0]!.status === "fulfilled" ? [design.title, both[1]!] : ["Other", both[0]!];
  expect(await refusal(lost)).toEqual({ code: "SESSION_EXISTS", data: { sessionId } });
  expect(await client.request("session.get")).toMatchObject({ title: won, version: 1 });
});

test("[SX3] an action in the wrong phase or for an unknown participant is refused with a declared error and changes nothing", async () => {
  const { port } = await start();
  const { client } = await watch(port, randomUUID());
  await client.request("session.create", design);
  expect(await refusal(client.request("session.pause"))).toEqual({ code: "WRONG_PHASE", data: { phase: "ready" } });
  await client.request("session.resume");
  const nobody = randomUUID();
  expect(await refusal(client.request("session.switchCycle", { cycle: 1, to: nobody }))).toEqual({
    code: "UNKNOWN_PARTICIPANT",
    data: { participantId: nobody },
  });
  expect((await client.request("session.get")).version).toBe(2);
});

test("[SX9] session.delete sends SESSION_DELETED to every watcher, and after the answer closes the watchers' connections with 1000", async () => {
  const { port, server } = await start();
  const sessionId = randomUUID();
  const [one, two] = [await watch(port, sessionId), await watch(port, sessionId)];
  const stranger = await watch(port, randomUUID());
  const refusals: unknown[] = [];
  for (const { channel } of [one, two])
    channel.status.subscribe((status) => {
      if (status.name === "refused") refusals.push([status.error.code, status.error.message]);
    });
  await one.client.request("session.create", design);
  await two.reach(1);
  const script = plain(port, `&sessionId=${sessionId}`);
  await vi.waitFor(() => expect(script.frames[0]?.type).toBe("connected"), soon);
  script.socket.send(JSON.stringify({ type: "subscribe", data: { channels: [`session:${sessionId}`] } }));
  await vi.waitFor(() => expect(script.frames.some(({ type }) => type === "state_sync")).toBe(true), soon);

  await one.client.request("session.delete");
  for (const { client } of [one, two]) {
    await vi.waitFor(() => expect(client.status.get().name).toBe("closed"), soon);
    expect(client.status.get()).toMatchObject({
      reason: { code: 1000, message: expect.stringContaining(SESSION_DELETED) },
    });
  }
  expect(refusals).toEqual([
    ["STATE_DELETED", SESSION_DELETED],
    ["STATE_DELETED", SESSION_DELETED],
  ]);
  expect([one.session, two.session, two.seen.at(-1)]).toEqual([undefined, undefined, undefined]);
  expect(await script.closed).toEqual([1000, SESSION_DELETED]);
  expect(script.frames.at(-1)).toMatchObject({ type: "state_deleted", data: { reason: SESSION_DELETED } });
  expect(stranger.client.status.get().name).toBe("ready");
  expect(server.stats().connections.active).toBe(1);

  const late = createClient(sessionSync, {
    url: `ws://localhost:${port}/ws`,
    token: "abc123",
    parameters: { sessionId },
  });
  onTestFinished(() => late.disconnect());
  const channel = late.channel("session", sessionId);
  await expect(channel.join()).rejects.toMatchObject({
    code: "STATE_DELETED",
    message: SESSION_DELETED,
  });
  expect(await refusal(late.request("session.get"))).toMatchObject({ code: "SESSION_NOT_FOUND" });
  await late.request("session.create", design);
  // A client subscribes to a refused channel again only after `leave` and `join`.
  channel.leave();
  await channel.join();
});

test("[SX18] the 101st connection of one session is closed with 4429, and other sessions accept connections", async () => {
  const { port } = await start();
  const sessionId = randomUUID();
  const sockets = Array.from({ length: 100 }, () => plain(port, `&sessionId=${sessionId}`));
  await vi.waitFor(() => expect(sockets.every(({ frames }) => frames[0]?.type === "connected")).toBe(true), soon);
  expect((await plain(port, `&sessionId=${sessionId}`).closed)[0]).toBe(4429);
  const elsewhere = plain(port, `&sessionId=${randomUUID()}`);
  await vi.waitFor(() => expect(elsewhere.frames[0]?.type).toBe("connected"), soon);
}, 20_000);

test("[SX11] a connection that answers heartbeats stays open, and a connection that does not answer is closed with 4408", async () => {
  const { port } = await start({ heartbeat: { intervalMs: 200, timeoutMs: 200 } });
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  const names: string[] = [];
  client.status.subscribe(({ name }) => void names.push(name));
  const { frames, closed } = plain(port, `&sessionId=${sessionId}`);
  expect((await closed)[0]).toBe(4408);
  expect(frames.some(({ type }) => type === "ping")).toBe(true);
  // Waits for the same time once more.
  await plain(port, `&sessionId=${sessionId}`).closed;
  expect(names).toEqual(["ready"]);
});

test("[SX11] the connected message announces a heartbeat every 5 s, with 5 s to answer", async () => {
  const { port } = await start();
  const { frames } = plain(port, `&sessionId=${randomUUID()}`);
  await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), soon);
  expect(frames[0]?.data).toMatchObject({ heartbeat: { interval_ms: 5_000, timeout_ms: 5_000 } });
});

test("[SX19] HTTP serves the page, also with a session id in the address, /healthz and /stats", async () => {
  const { port } = await start();
  const get = (path: string) => fetch(`http://localhost:${port}${path}`);
  expect((await get(`/?sessionId=${randomUUID()}`)).headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await (await get("/healthz")).json()).toEqual({ status: "ok" });
  expect((await get("/stats")).status).toBe(200);
  expect((await get("/package.json")).status).toBe(404);
});
