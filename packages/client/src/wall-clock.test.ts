import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemEnvironment } from "./environment.js";
import { answers, connected, refusesToken, unreachable } from "../test/support/behaviours.js";
import { type Behaviour, scriptedSockets } from "../test/support/scripted-socket.js";
import { failure, pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";

const HOUR_MS = 3_600_000;
withFakeTime();

/** Sets the wall clock of virtual time and leaves the monotonic clock and the timers unchanged. */
const setWallClock = (byMs: number): unknown => vi.setSystemTime(Date.now() + byMs);

/** Changes of the wall clock: once at the start, and then once per second. */
const ways: [name: string, byMs: (second: number) => number][] = [
  ["back", (second) => (second === 0 ? -HOUR_MS : 0)],
  ["forwards", (second) => (second === 0 ? HOUR_MS : 0)],
  ["back and forwards repeatedly", (second) => (second % 2 === 0 ? -HOUR_MS : HOUR_MS)],
  ["forwards repeatedly", () => HOUR_MS],
];

/** Announces the default heartbeat: an interval of 30 s and a timeout of 10 s. */
const greeting = connected();

describe.each(ways)("while the wall clock is set %s", (_, byMs) => {
  const passing = async (ms: number, each: () => void = () => {}): Promise<void> => {
    let second = 0;
    for (let left = ms; left > 0; left -= 1_000) {
      setWallClock(byMs(second++));
      await pass(Math.min(left, 1_000));
      each();
    }
  };

  test("[WC1] a connection that receives frames stays open", async () => {
    const { client, world } = testClient(answers({ connected: greeting }));
    await settle();
    await passing(200_000, () => world.sockets.last.receive({ type: "ping" }));
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(1);
  });

  test("[WC1] a silent connection is closed at most 3 s after the interval and the timeout", async () => {
    const mute: Behaviour = {
      opened: (attempt) => attempt.open(),
      received: (attempt, message) => void (message.type === "auth" && attempt.receive(greeting)),
    };
    const { client, world } = testClient(mute);
    await settle();
    await passing(39_000);
    expect(client.status.get().name).toBe("ready");
    await passing(5_000);
    expect(world.statuses).toContain("waiting");
    expect(world.sockets.attempts[0]!.closed?.code).toBe(4408);
  });

  test("[WC2] a request keeps its timeout, and the server receives the rest of the timeout", async () => {
    const { client, world } = testClient([unreachable(), answers()], { requestTimeoutMs: 20_000 });
    world.random = 0.999;
    const asked = client.request("agents.list");
    let ended = false;
    const error = failure(asked).finally(() => (ended = true));
    await passing(10_000);
    expect(world.sockets.last.of("request")[0]!.data.timeout_ms).toBe(15_005);
    await passing(9_000);
    expect(ended).toBe(false);
    await passing(1_000);
    expect(await error).toMatchObject({ code: "TIMEOUT" });
  });

  test("[WC3] the next attempt starts after the delay; after a connection that lasted at least 5 s, the delay is that of a first retry", async () => {
    const { client, world } = testClient([answers(), unreachable(), answers()]);
    await passing(6_000);
    world.sockets.last.end(4408);
    const status = client.status.get();
    // The displayed date is computed from the wall clock at the start of the wait.
    expect(status).toMatchObject({ name: "waiting", attempt: 1, retryAt: Date.now() + 500 });
    await pass(400);
    setWallClock(byMs(0));
    expect(client.status.get()).toBe(status);
    expect(world.sockets.attempts).toHaveLength(1);
    await pass(100);
    expect(world.sockets.attempts).toHaveLength(2);
    await passing(3_000);
    expect(client.status.get().name).toBe("ready");
  });

  test("[WC3] a connection that lasted less than 5 s does not restart the count of attempts", async () => {
    const { client, world } = testClient([unreachable(), unreachable(), answers()]);
    await pass(4_000);
    expect(client.status.get().name).toBe("ready");
    await passing(3_000);
    world.sockets.last.end(4408);
    expect(client.status.get()).toMatchObject({ name: "waiting", attempt: 3 });
  });

  test("[WC3] a step of an attempt may take 10 s", async () => {
    const { client } = testClient({ opened: (attempt) => attempt.open() });
    await settle();
    await passing(9_900);
    expect(client.status.get().name).toBe("authenticating");
    await pass(200);
    expect(client.status.get()).toMatchObject({ name: "waiting", reason: { name: "CONNECT_TIMEOUT" } });
  });

  test("[WC3] a refused token is renewed exactly three times per minute", async () => {
    const token = vi.fn(() => "stale");
    let good = false;
    const refusing = refusesToken();
    const { client, world } = testClient(
      {
        opened: (attempt) => attempt.open(),
        received: (attempt, message) => (good ? answers() : refusing).received?.(attempt, message),
      },
      { token },
    );
    for (let renewal = 1; renewal <= 3; renewal++) {
      good = true;
      await passing(8_000);
      expect(client.status.get().name).toBe("ready");
      good = false;
      // The token is refused once on the live connection, and the next token is accepted.
      world.sockets.last.end(4401);
      good = true;
      await settle();
    }
    await passing(8_000);
    expect(client.status.get().name).toBe("ready");
    world.sockets.last.end(4401);
    expect(client.status.get().name).toBe("unauthorized");
    client.connect();
    for (let renewal = 1; renewal <= 5; renewal++) {
      await passing(21_000);
      world.sockets.last.end(4401);
      await settle();
      expect(client.status.get().name).toBe("ready");
    }
  });
});

describe("the clock of the option `environment`", () => {
  const sockets = () => {
    const scripted = scriptedSockets(answers());
    return { ...scripted, last: () => scripted.attempts.at(-1)! };
  };

  test("[WC4] each omitted member is replaced with the platform's own", async () => {
    let back = 0;
    for (const clock of [undefined, {}, { now: () => Date.now() - back }, { after: systemEnvironment.clock.after }]) {
      back = 0;
      const { openSocket, last, attempts } = sockets();
      const { client } = testClient(answers(), { environment: { openSocket, ...(clock && { clock }) } });
      await settle();
      back = HOUR_MS;
      for (let second = 0; second < 100; second++) {
        await pass(1_000);
        last().receive({ type: "ping" });
      }
      expect(client.status.get().name).toBe("ready");
      expect(attempts).toHaveLength(1);
      client.disconnect();
    }
  });

  test("[WC4] a clock that is an instance of a class keeps its methods and fields", async () => {
    class Virtual {
      #passed = 5;
      readonly calls: string[] = [];
      now(): number {
        this.calls.push("now");
        return this.#passed;
      }
      monotonic(): number {
        this.calls.push("monotonic");
        return this.#passed;
      }
      after(ms: number, run: () => void): () => void {
        this.calls.push("after");
        return systemEnvironment.clock.after(ms + this.#passed - this.monotonic(), run);
      }
    }
    const clock = new Virtual();
    const { client } = testClient(answers(), { environment: { openSocket: sockets().openSocket, clock } });
    await settle();
    expect(client.status.get().name).toBe("ready");
    expect(new Set(clock.calls)).toEqual(new Set(["now", "monotonic", "after"]));
  });

  test.each([
    ["without `performance`", undefined],
    ["with a `performance` that has no now()", {}],
  ])("[WC4] %s, the monotonic clock advances with the wall clock and never goes back", (_, performance) => {
    vi.stubGlobal("performance", performance);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { monotonic } = systemEnvironment.clock;
    const start = monotonic();
    vi.advanceTimersByTime(1_000);
    expect(monotonic() - start).toBe(1_000);
    setWallClock(-HOUR_MS);
    expect(monotonic() - start).toBe(1_000);
    vi.advanceTimersByTime(500);
    expect(monotonic() - start).toBe(1_500);
  });

  test("[WC4] without `performance`, setting the wall clock back ends no connection", async () => {
    vi.stubGlobal("performance", undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { client, world } = testClient(answers());
    await settle();
    setWallClock(-HOUR_MS);
    for (let second = 0; second < 100; second++) {
      await pass(1_000);
      world.sockets.last.receive({ type: "ping" });
    }
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(1);
  });
});
