import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { agents } from "../src/protocol.js";
import { start } from "./start-example.js";

const read = (path: string) => readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");
const readme = await read("README.md");

test("[EX31] the README contains the plain clients exactly as the tests run them", async () => {
  const files = await readdir(fileURLToPath(new URL("../clients", import.meta.url)));
  expect(files.length).toBe(3);
  for (const file of files) expect(readme).toContain(`\n${(await read(`clients/${file}`)).trim()}\n\`\`\``);
});

test("[EX31] the README names every channel, event and request of the protocol", () => {
  const { requests, channels } = agents;
  const events = [...channels.values()].flatMap((channel) => [...channel.events.keys()]);
  const missing = [...requests.keys(), ...channels.keys(), ...events].filter((name) => !readme.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});

test("[EX31] the server answers every line of clients/by-hand.jsonl as the README describes", async () => {
  const { port } = await start();
  const socket = new WebSocket(`ws://localhost:${port}/ws?token=abc123`);
  onTestFinished(() => socket.terminate());
  const frames: { type: string; correlation_id?: string }[] = [];
  socket.on("message", (frame: Buffer) => frames.push(JSON.parse(frame.toString()) as (typeof frames)[number]));
  await once(socket, "open");
  for (const line of (await read("clients/by-hand.jsonl")).trim().split("\n")) socket.send(line);

  const answers = await vi.waitFor(() => {
    const found = frames.filter(({ correlation_id: id }) => id !== undefined);
    if (found.length < 5) throw new Error(`${found.length} answers`);
    return new Map(found.map((frame) => [frame.correlation_id, frame]));
  });
  expect(frames.find(({ type }) => type === "subscribe_response")).toMatchObject({
    data: { success: true, subscribed: ["agent-updates", "metrics"] },
  });
  expect(answers.get("1")).toMatchObject({ data: { ok: true, output: { programs: expect.any(Array) } } });
  expect(answers.get("2")).toMatchObject({ data: { ok: true, output: { agent: { options: { pace: "steady" } } } } });
  expect(answers.get("3")).toMatchObject({ data: { ok: false, error: { code: "UNKNOWN_PROGRAM" } } });
  expect(answers.get("4")).toMatchObject({ type: "subscriptions" });
  expect(answers.get("5")).toMatchObject({ type: "pong" });
});
