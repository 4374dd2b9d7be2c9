import { closeCode, closeCodes, HoldfastError } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { type Conditions, transition } from "./connection-machine.js";
import type { CloseInfo, ConnectionEvent, ConnectionState, ServerLimits } from "./connection-state.js";

const limits: ServerLimits = { silenceMs: 40_000, messageBytes: 65_536, requestsInFlight: 64 };
const reason: CloseInfo = { name: "ABNORMAL", code: 1006, message: "It ended." };
const time = 100_000;
const given: Conditions = {
  hasToken: true,
  address: "wss://example.com/ws",
  connectTimeoutMs: 10_000,
  retry: { minMs: 1_000, maxMs: 30_000 },
  time,
  random: 0.5,
  online: true,
};

const made = { attempt: 3, renewals: [] };
const states: { [Name in ConnectionState["name"]]: Extract<ConnectionState, { name: Name }> } = {
  idle: { name: "idle" },
  preparing: { name: "preparing", made, deadline: time + 5 },
  opening: { name: "opening", made, token: "t0ken", deadline: time + 5 },
  authenticating: { name: "authenticating", made, token: "t0ken", deadline: time + 5 },
  ready: { name: "ready", made, session: { sessionId: "s1", resumed: false }, limits, since: time - 1_000 },
  waiting: { name: "waiting", made, deadline: time + 9_000, reason, notBefore: time, held: false },
  unauthorized: { name: "unauthorized", reason },
  closed: { name: "closed", reason },
};

const error = new HoldfastError("PROTOCOL_MISMATCH", "Another protocol.");
const events: { [Type in ConnectionEvent["type"]]: Extract<ConnectionEvent, { type: Type }> } = {
  connect: { type: "connect" },
  disconnect: { type: "disconnect" },
  token: { type: "token", token: "fresh" },
  token_failed: { type: "token_failed", error: new Error("500") },
  opened: { type: "opened" },
  refused: { type: "refused", error },
  connected: { type: "connected", session: { sessionId: "s1", resumed: false }, limits },
  goaway: { type: "goaway", delayMs: 3_200 },
  ended: { type: "ended", end: { code: 1006, reason: "" } },
  unsendable: { type: "unsendable", error: new HoldfastError("LIMIT_EXCEEDED", "Too large.") },
  deadline: { type: "deadline" },
  online: { type: "online" },
  offline: { type: "offline" },
  visible: { type: "visible" },
};

/**
 * The name of the next state for each state and event. An event that is not listed changes nothing;
 * "same" keeps the name of the state and changes other fields.
 */
const table: { [Name in ConnectionState["name"]]: { [Type in ConnectionEvent["type"]]?: string } } = {
  idle: { connect: "preparing", disconnect: "closed" },
  preparing: {
    disconnect: "closed",
    token: "opening",
    token_failed: "waiting",
    unsendable: "closed",
    deadline: "waiting",
  },
  opening: {
    disconnect: "closed",
    unsendable: "closed",
    opened: "authenticating",
    ended: "waiting",
    deadline: "waiting",
  },
  authenticating: {
    disconnect: "closed",
    unsendable: "closed",
    refused: "same",
    connected: "ready",
    ended: "waiting",
    deadline: "waiting",
  },
  ready: { disconnect: "closed", refused: "same", goaway: "same", unsendable: "closed", ended: "waiting" },
  waiting: {
    connect: "preparing",
    disconnect: "closed",
    unsendable: "closed",
    deadline: "preparing",
    online: "same",
    visible: "same",
  },
  unauthorized: { connect: "preparing", disconnect: "closed" },
  closed: { connect: "preparing" },
};

describe("The transition table", () => {
  for (const [name, row] of Object.entries(table)) {
    for (const type of Object.keys(events) as ConnectionEvent["type"][]) {
      const expected = row[type] ?? "no change";
      test(`${name} + ${type} -> ${expected}`, () => {
        const before = states[name as ConnectionState["name"]];
        const after = transition(before, events[type], given);
        const outcome = after === before ? "no change" : after.name === before.name ? "same" : after.name;
        expect(outcome).toBe(expected);
      });
    }
  }

  test("each transition leads to a state that has only the fields of that state, so no data of an attempt is left behind", () => {
    const fields = (state: ConnectionState): string =>
      Object.keys(state)
        .filter((field) => field !== "goawayMs" && field !== "refusal")
        .sort()
        .join(" ");
    for (const before of Object.values(states)) {
      for (const event of Object.values(events)) {
        const after = transition(before, event, given);
        expect(fields(after)).toBe(fields(states[after.name]));
      }
    }
  });
});

const ended = (code: number, state: ConnectionState = states.ready, more: Partial<Conditions> = {}, text = "") =>
  transition(state, { type: "ended", end: { code, reason: text } }, { ...given, ...more });

describe("The action of a close code", () => {
  const outcome = { retry: "waiting", retry_after: "waiting", new_token: "preparing", stop: "closed" } as const;

  test.each(closeCodes)(
    "[RC1] after $code $name the client follows the action of the close-code table: $action",
    ({ code, action }) => {
      expect(ended(code).name).toBe(outcome[action]);
    },
  );

  test.each([
    [3000, "waiting"],
    [4000, "waiting"],
    [4800, "waiting"],
    [4899, "waiting"],
    [4900, "closed"],
    [4999, "closed"],
  ])("[RC4] after the close code %i, which has no row of its own in the table, the client is %s", (code, name) => {
    expect(ended(code).name).toBe(name);
  });

  test("[CN28] the reason for any close code has a name of the table, of the application's ranges, or UNKNOWN", () => {
    const others: string[] = [];
    const known = new Set<string>(closeCodes.map(({ name }) => name));
    for (let code = 0; code < 5_100; code++) {
      const state = ended(code, states.ready, { hasToken: false });
      const { name } = (state as Extract<ConnectionState, { reason: CloseInfo }>).reason;
      if (!known.has(name) && others.at(-1) !== name) others.push(name);
    }
    expect(others).toEqual(["UNKNOWN", "APPLICATION_RETRY", "APPLICATION_STOP", "UNKNOWN"]);
  });

  test("[RC1] the reason contains the name from the close-code table and the server's text", () => {
    const state = ended(4403, states.ready, {}, "this user is suspended.");
    expect(state).toMatchObject({ reason: { name: "FORBIDDEN", code: 4403 } });
    expect("reason" in state && state.reason.message).toMatch(/wss:\/\/example\.com\/ws.*this user is suspended/);
  });

  test("[RC5] a JSON hint in the close reason is not repeated in the message, and moves the deadline and `notBefore`", () => {
    const state = ended(4429, states.ready, { random: 0 }, '{"retryAfterMs":600}');
    expect(state).toMatchObject({ name: "waiting", deadline: time + 600, notBefore: time + 600 });
    expect("reason" in state && state.reason.message).toContain(closeCode(4429).meaning);
    expect("reason" in state && state.reason.message).not.toContain("600");
  });

  test("[RC5] the Retry-After of an HTTP refusal counts as a hint", () => {
    const end = { code: 1013, reason: "HTTP 503", retryAfterMs: 7_000 };
    const state = transition(states.opening, { type: "ended", end }, { ...given, random: 0 });
    expect(state).toMatchObject({ name: "waiting", deadline: time + 7_000, notBefore: time + 7_000 });
  });
});

describe("Attempts", () => {
  test("[RC3] a connection that was ready for less than 5 s counts as a failed attempt", () => {
    const brief = { ...states.ready, since: time - 4_999 };
    expect(ended(4408, brief)).toMatchObject({ name: "waiting", made: { attempt: 3 }, deadline: time + 0.5 * 4_000 });
  });

  test("[RC3] after a connection that was ready for 5 s, the count of attempts restarts", () => {
    const lasting = { ...states.ready, since: time - 5_000 };
    expect(ended(4408, lasting)).toMatchObject({ name: "waiting", made: { attempt: 1 }, deadline: time + 0.5 * 1_000 });
  });

  test("[RC3] each attempt increases the count, and connect() after a stop starts at one", () => {
    expect(transition(states.waiting, events.deadline, given)).toMatchObject({ made: { attempt: 4 } });
    expect(transition(states.closed, events.connect, given)).toMatchObject({ made: { attempt: 1 } });
  });

  test("[RC6] the delay in goaway applies to the close that follows", () => {
    const state = transition(states.ready, events.goaway, given);
    expect(ended(1012, state)).toMatchObject({ name: "waiting", deadline: time + 3_200, notBefore: time + 3_200 });
  });

  test("[CN15] without a token option the socket opens at once", () => {
    const state = transition(states.idle, events.connect, { ...given, hasToken: false });
    expect(state).toMatchObject({ name: "opening" });
    expect(state).not.toHaveProperty("token");
  });
});

describe("Refused credentials", () => {
  test("[RC7] a refusal fetches a new token at once", () => {
    expect(ended(4401)).toMatchObject({ name: "preparing", made: { attempt: 4, renewals: [time] } });
  });

  test("[RC7] the fourth refusal within a minute leads to unauthorized", () => {
    const recent = { ...states.ready, made: { attempt: 3, renewals: [time - 59_000, time - 20_000, time - 1] } };
    expect(ended(4401, recent).name).toBe("unauthorized");
  });

  test("[RC7] refusals older than a minute do not count", () => {
    const old = { ...states.ready, made: { attempt: 3, renewals: [time - 60_000, time - 20_000, time - 1] } };
    expect(ended(4401, old)).toMatchObject({ name: "preparing", made: { renewals: [time - 20_000, time - 1, time] } });
  });

  test("[RC8] without a token option a refusal leads to unauthorized", () => {
    expect(ended(4401, states.authenticating, { hasToken: false }).name).toBe("unauthorized");
  });

  test("[RC8] the reason contains the server's refusal", () => {
    const state = transition(states.authenticating, events.refused, given);
    expect(ended(4401, state, { hasToken: false }, "logged out")).toMatchObject({
      reason: { code: 4401, error, message: expect.stringContaining("logged out") as unknown },
    });
  });

  test("[RC23] the refusal of a newer token is kept for the close of the same connection, and for no other connection", () => {
    const state = transition(states.ready, events.refused, given);
    expect(ended(4403, state)).toMatchObject({ name: "closed", reason: { code: 4403, error } });
    const renewed = transition(states.authenticating, events.refused, given);
    expect(transition(renewed, events.connected, given)).not.toHaveProperty("refusal");
  });

  test.each([null, undefined, ""])("[RC9] a token function that returns %j leads to unauthorized", (token) => {
    const state = transition(states.preparing, { type: "token", token }, given);
    expect(state).toMatchObject({ name: "unauthorized", reason: { name: "NO_TOKEN" } });
  });
});

describe("Platform hints", () => {
  test.each(["online", "visible"] as const)("[RC13] while waiting, %s starts the attempt within a second", (type) => {
    expect(transition(states.waiting, events[type], given)).toMatchObject({ deadline: time + 500 });
  });

  test("[RC13] a platform hint neither postpones an attempt nor starts an attempt before `notBefore`", () => {
    const soon = { ...states.waiting, deadline: time + 100 };
    expect(transition(soon, events.online, given)).toBe(soon);
    const asked = { ...states.waiting, notBefore: time + 8_000 };
    expect(transition(asked, events.online, given)).toMatchObject({ deadline: time + 8_000 });
  });

  test("[RC14] while offline, a due attempt is postponed once, by maxMs", () => {
    const offline = { ...given, online: false };
    const held = transition(states.waiting, events.deadline, offline);
    expect(held).toMatchObject({ name: "waiting", held: true, deadline: time + 30_000, made: { attempt: 3 } });
    expect(transition(held, events.deadline, offline).name).toBe("preparing");
  });
});
