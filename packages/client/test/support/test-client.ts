import type { Protocol, ProtocolDefinition } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { type Client, createClient } from "../../src/create-client.js";
import type { Hint } from "../../src/environment.js";
import { systemEnvironment } from "../../src/environment.js";
import type { ErrorContext } from "../../src/errors.js";
import type { BaseOptions } from "../../src/options.js";
import { agents } from "./agents.js";
import { onChange } from "./changes.js";
import { answers } from "./behaviours.js";
import { type Behaviour, type ScriptedSockets, scriptedSockets } from "./scripted-socket.js";

/** The parts that tests control: the network, the platform's hints and the random numbers. */
export interface World {
  readonly sockets: ScriptedSockets;
  readonly errors: { error: Error & { code?: string }; context: ErrorContext }[];
  readonly statuses: string[];
  hint(hint: Hint): void;
  random: number;
  online: boolean;
  hintListeners: number;
}

const worlds: { world: World; client: { disconnect(): void } }[] = [];

/**
 * Uses virtual time from 0 for every test of a file. After each test, no client may have left a
 * timer or a listener.
 */
export function withFakeTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(async () => {
    for (const { client } of worlds) client.disconnect();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    for (const { world } of worlds.splice(0)) {
      expect(world.hintListeners).toBe(0);
      expect(world.sockets.live).toEqual([]);
    }
    vi.useRealTimers();
  });
}

export function testClient(
  behaviours: Behaviour | [Behaviour, ...Behaviour[]] = answers(),
  options: Partial<BaseOptions> = {},
): { client: Client<(typeof agents)["definition"]>; world: World } {
  return testClientOf(agents, behaviours, options);
}

export function testClientOf<P extends ProtocolDefinition>(
  protocol: Protocol<P>,
  behaviours: Behaviour | [Behaviour, ...Behaviour[]],
  options: Partial<BaseOptions> & { parameters?: object } = {},
): { client: Client<P>; world: World } {
  const sockets = scriptedSockets(...(Array.isArray(behaviours) ? behaviours : ([behaviours] satisfies [Behaviour])));
  const listeners = new Set<(hint: Hint) => void>();
  const world: World = {
    sockets,
    errors: [],
    statuses: [],
    hint: (hint) => [...listeners].forEach((listener) => listener(hint)),
    random: 0.5,
    online: true,
    get hintListeners() {
      return listeners.size;
    },
  };
  const environment = {
    clock: systemEnvironment.clock,
    random: () => world.random,
    openSocket: sockets.openSocket,
    hints: {
      isOnline: () => world.online,
      subscribe(listener: (hint: Hint) => void) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
  };
  const all = { url: "ws://localhost/ws", token: "t0ken", environment, ...options };
  const client = createClient(protocol, all as never);
  client.onError((error, context) => world.errors.push({ error, context }));
  onChange(client.status, (status) => world.statuses.push(status.name));
  worlds.push({ world, client });
  return { client, world };
}

/** Runs promises and due timers. */
export const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/**
 * Returns the rejection of a promise. The handler is attached at once, so the rejection is never
 * unhandled while virtual time passes.
 */
export function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`Expected a rejection, but the promise resolved with ${JSON.stringify(value)}.`);
    },
    (error: unknown) => error,
  );
}
