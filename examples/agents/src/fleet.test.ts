import { tmpdir } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { Fleet, type FleetOptions } from "./fleet.js";
import type { Launch } from "./programs.js";
import type { Agent, Line } from "./protocol.js";

const fleets: Fleet[] = [];
afterEach(async () => {
  await Promise.all(fleets.splice(0).map((fleet) => fleet.close()));
});

function makeFleet(options: Partial<FleetOptions> = {}) {
  const told: { name: string; agent: Agent; line: Line | undefined }[] = [];
  const watched = new Set<number>();
  const tell = (name: string) => (agent: Agent, detail?: unknown) =>
    void told.push({ name, agent, line: name === "output" ? (detail as Line) : undefined });
  const fleet = new Fleet({
    cwd: tmpdir(),
    listener: {
      started: tell("started"),
      statusChanged: tell("statusChanged"),
      output: tell("output"),
      exited: tell("exited"),
      removed: tell("removed"),
    },
    warden: { watch: (pid) => void watched.add(pid), release: (pid) => void watched.delete(pid) },
    ...options,
  });
  fleets.push(fleet);
  return {
    fleet,
    watched,
    names: (id: string) => told.filter(({ agent }) => agent.id === id).map(({ name }) => name),
    texts: (id: string) => told.flatMap(({ agent, line }) => (agent.id === id && line ? [line.text] : [])),
  };
}

function node(script: string): Launch {
  return { program: "test", options: {}, command: process.execPath, arguments: ["-e", script] };
}

async function started(fleet: Fleet, script: string): Promise<Agent> {
  const result = await fleet.start(node(script));
  if (!result.ok) throw new Error(result.code);
  return result.agent;
}

const now = (fleet: Fleet, id: string) => fleet.list().find((agent) => agent.id === id);
const ended = (fleet: Fleet, id: string) =>
  vi.waitFor(
    () => {
      const agent = now(fleet, id);
      if (!agent?.exit) throw new Error(`${id} has not ended`);
      return { ...agent, exit: agent.exit };
    },
    { timeout: 10_000 },
  );

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const FOREVER = "setInterval(() => {}, 1000); console.log('up')";
const STUBBORN = `process.on('SIGTERM', () => console.log('no')); ${FOREVER}`;

test("[EX6] the listener receives the lines of a process in order, then its status, then its exit", async () => {
  const { fleet, names, texts } = makeFleet();
  const agent = await started(fleet, "console.log('one'); console.log('two')");
  expect(agent).toMatchObject({ status: "running", program: "test" });
  expect(agent.pid).toBeGreaterThan(0);
  const { status, exit } = await ended(fleet, agent.id);
  expect(status).toBe("finished");
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(texts(agent.id)).toEqual(["one", "two", "ended with exit code 0"]);
  expect(names(agent.id)).toEqual(["started", "output", "output", "output", "statusChanged", "exited"]);
});

test("[EX7] a process that exits with a code other than 0 has the status failed and that code", async () => {
  const { fleet } = makeFleet();
  const { status, exit } = await ended(fleet, (await started(fleet, "process.exitCode = 3")).id);
  expect([status, exit.code, exit.signal]).toEqual(["failed", 3, null]);
});

test("[EX7] a process killed from outside has the status failed and that signal", async () => {
  const { fleet } = makeFleet();
  const agent = await started(fleet, FOREVER);
  process.kill(agent.pid, "SIGKILL");
  const { status, exit } = await ended(fleet, agent.id);
  expect([status, exit.code, exit.signal]).toEqual(["failed", null, "SIGKILL"]);
});

test("[EX8] stop sends SIGTERM and sets the status stopping at once", async () => {
  const { fleet, names } = makeFleet();
  const agent = await started(fleet, FOREVER);
  expect(fleet.stop(agent.id)?.status).toBe("stopping");
  const { status, exit } = await ended(fleet, agent.id);
  expect([status, exit.signal]).toEqual(["stopped", "SIGTERM"]);
  expect(names(agent.id).filter((name) => name !== "output")).toEqual([
    "started",
    "statusChanged",
    "statusChanged",
    "exited",
  ]);
});

test("[EX8] a process that ignores SIGTERM is killed after graceMs", async () => {
  const { fleet, texts } = makeFleet({ graceMs: 200 });
  const agent = await started(fleet, STUBBORN);
  await vi.waitFor(() => expect(texts(agent.id)).toContain("up"), { timeout: 10_000 });
  fleet.stop(agent.id);
  const { status, exit } = await ended(fleet, agent.id);
  expect([status, exit.signal]).toEqual(["stopped", "SIGKILL"]);
  expect(texts(agent.id)).toContain("no");
});

test("[EX8] stop of an agent that is stopping or has ended changes nothing, and stop of an unknown id returns undefined", async () => {
  const { fleet, names } = makeFleet();
  const agent = await started(fleet, FOREVER);
  fleet.stop(agent.id);
  fleet.stop(agent.id);
  await ended(fleet, agent.id);
  expect(fleet.stop(agent.id)?.status).toBe("stopped");
  expect(names(agent.id).filter((name) => name === "statusChanged")).toHaveLength(2);
  expect(fleet.stop("constructor")).toBeUndefined();
});

test("[EX9] start refuses agents above the maximum, even if all are started at the same moment", async () => {
  const { fleet } = makeFleet({ maximum: 2 });
  const results = await Promise.all([1, 2, 3, 4].map(() => fleet.start(node(FOREVER))));
  expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false]);
  expect(results[2]).toMatchObject({ ok: false, code: "TOO_MANY_AGENTS", data: { maximum: 2 } });
});

test("[EX9] only the last keepEnded agents that ended stay listed, and each older agent is reported as removed", async () => {
  const { fleet, names } = makeFleet({ keepEnded: 2 });
  const ids: string[] = [];
  for (let index = 0; index < 3; index++) {
    const { id } = await started(fleet, "");
    ids.push(id);
    await ended(fleet, id);
  }
  expect(fleet.list().map(({ id }) => id)).toEqual(ids.slice(1));
  expect(names(ids[0] ?? "").at(-1)).toBe("removed");
  expect(fleet.log(ids[0] ?? "")).toBeUndefined();
});

test("[EX10] a program that cannot be started is refused with the system's error code and does not count towards the maximum", async () => {
  const { fleet } = makeFleet({ maximum: 1 });
  const launch = { program: "test", options: {}, command: "/does/not/exist", arguments: [] };
  expect(await fleet.start(launch)).toMatchObject({ code: "START_FAILED", data: { reason: "ENOENT" } });
  expect((await fleet.start(node(FOREVER))).ok).toBe(true);
});

test("[EX11] close ends every process, including processes that ignore SIGTERM, and releases each from the warden", async () => {
  const { fleet, watched, texts } = makeFleet({ graceMs: 200 });
  const all = [await started(fleet, FOREVER), await started(fleet, STUBBORN)];
  expect(watched).toEqual(new Set(all.map(({ pid }) => pid)));
  await vi.waitFor(() => expect(texts(all[1]?.id ?? "")).toContain("up"), { timeout: 10_000 });
  await fleet.close();
  expect(all.map(({ pid }) => alive(pid))).toEqual([false, false]);
  expect(watched.size).toBe(0);
});

test("[EX12] an agent does not inherit the server's environment variables", async () => {
  vi.stubEnv("AGENTS_TEST_SECRET", "hunter2");
  const { fleet, texts } = makeFleet();
  const agent = await started(fleet, "console.log(process.env.AGENTS_TEST_SECRET ?? 'nothing')");
  await ended(fleet, agent.id);
  vi.unstubAllEnvs();
  expect(texts(agent.id)[0]).toBe("nothing");
});
