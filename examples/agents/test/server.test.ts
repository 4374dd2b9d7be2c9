import { once } from "node:events";
import { type Client, createClient, isDeclaredError, isHoldfastError } from "@holdfast/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { agents, type Line } from "../src/protocol.js";
import type { Example } from "../src/server.js";
import { start } from "./start-example.js";

type AgentsClient = Client<typeof agents.definition>;

function connect(example: Example): AgentsClient {
  const client = createClient(agents, { url: `ws://localhost:${example.port}/ws`, token: "abc123" });
  onTestFinished(() => client.disconnect());
  return client;
}

/** Records the names of the events of agent-updates, and the lines, in the order of arrival. */
function listen(client: AgentsClient) {
  const heard: string[] = [];
  const lines: Line[] = [];
  const updates = client.channel("agent-updates");
  for (const event of ["started", "statusChanged", "exited", "removed"] as const) {
    updates.on(event, () => void heard.push(event));
  }
  updates.on("output", ({ line }) => void lines.push(line));
  return { heard, lines, join: () => updates.join() };
}

const soon = { timeout: 10_000, interval: 20 };

test("[EX14] a client starts an agent, receives its events, stops it, and agent.list agrees with the events", async () => {
  const client = connect(await start());
  const { heard, lines, join } = listen(client);
  await join();

  const { agent } = await client.request("agent.start", { program: "watch-host", options: { every: "250ms" } });
  expect(agent).toMatchObject({ program: "watch-host", options: { every: "250ms" }, status: "running" });
  expect(agent.startedAt).toBeInstanceOf(Date);
  await vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(2), soon);
  expect(lines[0]).toMatchObject({ number: 1, stream: "stdout", text: expect.stringContaining("cores [") });

  const log = await client.request("agent.log", { agentId: agent.id });
  expect(log.lines.slice(0, 2)).toEqual(lines.slice(0, 2));

  expect((await client.request("agent.stop", { agentId: agent.id })).agent.status).toBe("stopping");
  await vi.waitFor(() => expect(heard).toEqual(["started", "statusChanged", "statusChanged", "exited"]), soon);
  const { agents: list, maximum } = await client.request("agent.list");
  expect(list).toMatchObject([{ id: agent.id, status: "stopped", exit: { code: null, signal: "SIGTERM" } }]);
  expect(list[0]?.exit?.at).toBeInstanceOf(Date);
  expect(maximum).toBe(8);
});

test("[EX14] a request that cannot be fulfilled is refused with a declared error that contains the reason", async () => {
  const client = connect(await start({ fleet: { maximum: 1 } }));
  const refused = async (program: string, options: Record<string, string> = {}) => {
    const error: unknown = await client.request("agent.start", { program, options }).catch((reason: unknown) => reason);
    if (!isDeclaredError(agents, "agent.start", error)) throw error;
    return [error.code, error.data];
  };
  expect(await refused("sh")).toEqual([
    "UNKNOWN_PROGRAM",
    { program: "sh", known: expect.arrayContaining(["primes"]) },
  ]);
  expect(await refused("primes", { pace: "--eval" })).toEqual([
    "UNKNOWN_CHOICE",
    { option: "pace", choice: "--eval", allowed: ["gentle", "steady", "eager"] },
  ]);
  await client.request("agent.start", { program: "watch-host" });
  expect(await refused("primes")).toEqual(["TOO_MANY_AGENTS", { maximum: 1 }]);

  for (const request of ["agent.stop", "agent.log"] as const) {
    const error: unknown = await client.request(request, { agentId: "primes-0" }).catch((reason: unknown) => reason);
    expect(isDeclaredError(agents, request, error) && error.data).toEqual({ agentId: "primes-0" });
  }
});

test("[EX4] agent.start ignores a command in its input, and refuses a program that is not a string", async () => {
  const client = connect(await start());
  const { programs } = await client.request("agent.programs");
  expect(JSON.stringify(programs)).not.toContain(process.execPath);

  const sneaky = { program: "watch-host", command: "/bin/sh", arguments: ["-c", "exit 7"] };
  const { agent } = await client.request("agent.start", sneaky);
  expect(agent).not.toHaveProperty("command");
  const error: unknown = await client
    .request("agent.start", { program: ["sh"] as unknown as string })
    .catch((reason: unknown) => reason);
  expect(isHoldfastError(error) && error.field).toBe("input.program");
});

test("[EX15] the channel metrics publishes a sample every second, with the usage of each running agent", async () => {
  const client = connect(await start({ startAtBoot: ["watch-host"] }));
  const times: number[] = [];
  const figures: { cpuPercent: number; memoryBytes: number }[] = [];
  client.channel("metrics").on("sampled", ({ at, agents: used }) => {
    times.push(at.getTime());
    figures.push(...used);
  });
  await vi.waitFor(() => expect(times.length).toBeGreaterThanOrEqual(4), soon);
  // Four samples span three seconds. The fourth second is a margin, because timers are late on a
  // busy machine.
  expect((times[3] ?? 0) - (times[0] ?? 0)).toBeLessThan(4_000);
  expect(figures.length).toBeGreaterThanOrEqual(3);
  expect(figures.at(-1)?.memoryBytes).toBeGreaterThan(10_000_000);
  const { samples } = await client.request("metrics.recent");
  expect(samples.map(({ at }) => at.getTime())).toEqual(expect.arrayContaining(times));
});

test("[EX16] a token in the query string opens a connection, and a wrong token is answered with HTTP 401", async () => {
  const { port } = await start();
  const socket = new WebSocket(`ws://localhost:${port}/ws?token=abc123`);
  onTestFinished(() => socket.terminate());
  const [frame] = await once(socket, "message");
  expect(JSON.parse(String(frame))).toMatchObject({ type: "connected", data: { user_id: "demo" } });

  const refused = new WebSocket(`ws://localhost:${port}/ws?token=wrong`);
  refused.on("error", () => {});
  const [, response] = await once(refused, "unexpected-response");
  expect(response.statusCode).toBe(401);
});

test("[EX16] a page of another origin is answered with 403 even if its token is right", async () => {
  const { port } = await start();
  const statusFor = async (origin: string): Promise<number> => {
    const socket = new WebSocket(`ws://localhost:${port}/ws?token=abc123`, { origin });
    socket.on("error", () => {});
    const [, response] = await once(socket, "unexpected-response");
    return response.statusCode;
  };
  const others = ["https://elsewhere.example", `http://localhost:${port + 1}`, "null"];
  expect(await Promise.all(others.map(statusFor))).toEqual([403, 403, 403]);
  const own = new WebSocket(`ws://localhost:${port}/ws?token=abc123`, { origin: `http://localhost:${port}` });
  onTestFinished(() => own.terminate());
  await once(own, "open");
});

test("[EX17] HTTP serves the page, /healthz and /stats, and answers every other path with 404", async () => {
  const example = await start();
  const get = (path: string, method = "GET") => fetch(`http://localhost:${example.port}${path}`, { method });
  const page = await get("/?from=somewhere");
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
  expect(await (await get("/healthz")).json()).toEqual({ status: "ok" });
  expect(await (await get("/stats")).json()).toEqual(JSON.parse(JSON.stringify(example.server.stats())));
  const nothing = ["/package.json", "/..%2fpackage.json", "/index.html%00", "//", "/constructor"];
  expect(await Promise.all(nothing.map(async (path) => (await get(path)).status))).toEqual(nothing.map(() => 404));
  expect((await get("/", "POST")).status).toBe(405);
});

test("[EX18] close publishes its reason and the end of every agent before it closes the connections", async () => {
  const example = await start({ startAtBoot: ["watch-host"] });
  const client = connect(example);
  const { heard, join } = listen(client);
  const reasons: string[] = [];
  client.channel("system-events").on("stopping", ({ reason }) => void reasons.push(reason));
  await join();
  await example.close("maintenance");
  await vi.waitFor(() => expect(client.status.get().name).toBe("waiting"), soon);
  expect(reasons).toEqual(["maintenance"]);
  expect(heard).toEqual(["statusChanged", "statusChanged", "exited"]);
});
