import type { Patch } from "@holdfast/protocol";
import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { onChange } from "../test/support/changes.js";
import { boards, boardServer } from "../test/support/board.js";
import { pass, settle, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { keepPositions } from "./keep-positions.js";
import { documentOf } from "./document.js";

withFakeTime();

/** Numbers that choose how the current document is changed. */
type Step =
  | {
      do: "patch";
      changes: [place: number, op: number, value: number][];
      how: "sent" | "lost" | "twice" | "snapshot" | "wrong";
    }
  | { do: "move" | "cut" | "reset" | "fork" | "trim" | "down" | "refuse" | "allow" | "restart" | "listen" | "unlisten" }
  /** Moves the card at one index to another index, and may change the card there. */
  | { do: "shift"; from: number; to: number; text: number }
  | { do: "patches"; is: boolean }
  | { do: "hold"; is: boolean }
  | { do: "pass"; ms: number };

const number = fc.nat({ max: 1_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("patch" as const),
      changes: fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 3 }),
      how: fc.constantFrom("sent", "sent", "sent", "lost", "twice", "snapshot", "wrong"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("move" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("shift" as const), from: number, to: number, text: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "cut",
        "cut",
        "reset",
        "fork",
        "trim",
        "down",
        "refuse",
        "allow",
        "restart",
        "listen",
        "unlisten",
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("patches" as const, "hold" as const), is: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 4_000 }) }) },
);

interface Tree {
  [name: string]: unknown;
}

/**
 * A change of the document that the numbers choose: they select the part, the operation and the new
 * value.
 */
function change(document: unknown, [place, op, value]: readonly [number, number, number]): Patch {
  const holders: { path: (string | number)[]; holder: unknown[] | Tree }[] = [];
  const visit = (holder: unknown, path: (string | number)[]): void => {
    if (typeof holder !== "object" || holder === null) return;
    holders.push({ path, holder: holder as Tree });
    for (const [name, member] of Object.entries(holder))
      visit(member, [...path, Array.isArray(holder) ? Number(name) : name]);
  };
  visit(document, []);
  const fresh = [value, `${value}`, { n: value }, [{ n: value % 3 }, value], null][value % 5];
  const { path, holder } = holders[place % holders.length]!;
  const isList = Array.isArray(holder);
  const names = Object.keys(holder).filter((name) => name !== "v");
  const name = names[value % (names.length || 1)];
  const at = isList ? Number(name) : name!;
  if (name === undefined || op % 3 === 0)
    return { op: "add", path: [...path, isList ? value % (holder.length + 1) : `k${value % 6}`], value: fresh };
  return op % 3 === 1 ? { op: "remove", path: [...path, at] } : { op: "replace", path: [...path, at], value: fresh };
}

const idOf = (item: unknown): unknown => (item as { id?: unknown } | null | undefined)?.id;

/**
 * Finds the earlier state of an item: the earlier item with the same id, otherwise the earlier item
 * at the same index.
 */
function counterpart(item: unknown, index: number, now: readonly unknown[], before: readonly unknown[]): unknown {
  const id = idOf(item);
  if ((typeof id !== "string" && typeof id !== "number") || id === idOf(before[index])) return before[index];
  const [sames, befores] = [now, before].map((list) => list.filter((other) => idOf(other) === id));
  if (befores!.length === 0) return before[index];
  // If ids are not unique, nothing is asserted about moved items.
  return sames!.length === 1 && befores!.length === 1 ? befores![0] : undefined;
}

/**
 * Asserts that an unchanged part, at the same index or with the same id, is the same object, and
 * that every part is frozen.
 */
function expectShared(now: unknown, before: unknown): void {
  if (typeof now !== "object" || now === null) return;
  expect(Object.isFrozen(now)).toBe(true);
  if (isDeepStrictEqual(now, before)) return expect(now).toBe(before);
  for (const [name, member] of Object.entries(now)) {
    const isOfLists = Array.isArray(now) && Array.isArray(before);
    const there = typeof before === "object" ? (before as Tree | null)?.[name] : undefined;
    expectShared(member, isOfLists ? counterpart(member, Number(name), now, before) : there);
  }
}

const CARDS = ["a", "b", "c", 4].map((id) => ({ id, in: { text: "" } }));

async function run(steps: readonly Step[], pauseMs: number): Promise<void> {
  /** Grows with every document and every event, across all histories. */
  let clock = 0;
  let wrong = 0;
  const server = boardServer("loose", { data: { v: 0, list: [1, { n: 1 }], a: { b: {} }, cards: CARDS }, version: 1 });
  const items = new Map<string, string>();

  const start = () => {
    let over = false;
    const positions = keepPositions({
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void (over || items.set(key, value)),
    });
    const { client, world } = testClientOf(boards, server.behaviour, { positions });
    const loose = client.channel("loose");
    const document = documentOf(loose);
    loose.on("moved", async (at) => {
      // The document is never ahead of the events before it.
      expect((document.get() as Tree | undefined)?.["v"] ?? 0).toBeLessThanOrEqual(at);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    });
    let off: (() => void) | undefined;
    const listen = (): void => {
      off ??= onChange(document, (now, before) => {
        expect(now).not.toBe(before);
        expect(now).toBe(document.get());
        expect(isDeepStrictEqual(now, before)).toBe(false);
        expectShared(now, before);
      });
    };
    listen();
    return {
      world,
      document,
      listen,
      unlisten() {
        off?.();
        off = undefined;
        expect(document.get()).toBeUndefined();
      },
      stop() {
        over = true;
        client.disconnect();
      },
    };
  };

  const patch = (changes: readonly (readonly [number, number, number])[], changed: object = {}): void => {
    const patches: Patch[] = [{ op: "replace", path: ["v"], value: ++clock }];
    const base = structuredClone(server.document.data);
    let next = server.preview(base, patches);
    for (const one of changes) {
      const made = change(next, one);
      patches.push(made);
      next = server.preview(next, [made]);
    }
    server.patch(patches, changed);
  };
  const anew = () => ({
    data: { ...(structuredClone(server.document.data) as Tree), v: ++clock },
    version: server.document.version,
  });

  let life = start();
  await settle();
  for (const each of steps) {
    switch (each.do) {
      case "patch":
        if (each.how === "wrong") {
          wrong++;
          patch(
            each.changes,
            [{ hash: "0" }, { version: 900 }, { patches: [{ op: "remove", path: ["none"] }] }][wrong % 3],
          );
        } else patch(each.changes, { isSent: each.how !== "lost", ...(each.how === "snapshot" && { patches: [] }) });
        if (each.how === "twice") server.live(server.last(1)[0]!);
        if (each.how === "snapshot") server.live(server.sync());
        break;
      case "shift": {
        const cards = (server.document.data as { cards?: unknown }).cards;
        if (!Array.isArray(cards) || cards.length === 0) break;
        const card: unknown = cards[each.from % cards.length];
        const isChanged = each.text > 0 && idOf(card) !== undefined;
        server.patch([
          { op: "replace", path: ["v"], value: ++clock },
          { op: "remove", path: ["cards", each.from % cards.length] },
          {
            op: "add",
            path: ["cards", each.to % cards.length],
            value: isChanged ? { ...(card as object), in: { text: each.text } } : card,
          },
        ]);
        break;
      }
      case "move":
        server.move(++clock);
        break;
      case "pass":
        await pass(each.ms);
        break;
      case "patches":
        server.patches(each.is);
        break;
      case "hold":
        server.hold(each.is);
        break;
      case "reset":
        server.reset(anew());
        break;
      case "fork":
        server.begin(anew());
        server.cut();
        break;
      case "refuse":
        server.refuse({ code: "FORBIDDEN", message: "No." });
        break;
      case "allow":
        server.refuse(undefined);
        break;
      case "restart":
        await pass(1);
        life.stop();
        await pass(1);
        life = start();
        await settle();
        break;
      case "listen":
      case "unlisten":
        life[each.do]();
        break;
      default:
        server[each.do]();
    }
    if (each.do !== "patch") await settle();
  }
  // At the end the client recovers: the test joins refused channels again, and the next event
  // reveals lost messages.
  server.refuse(undefined);
  server.hold(false);
  life.listen();
  server.cut();
  await pass(40_000 + pauseMs * 200);
  patch([[1, 0, 1]]);
  await pass(pauseMs * 200 + 1_000);
  const { data } = server.document;
  expect(life.document.get()).toEqual(data);
  expectShared(life.document.get(), undefined);
  const before = life.document.get();
  patch([[2, 0, 7]]);
  await settle();
  expect(life.document.get()).toEqual(server.document.data);
  expectShared(life.document.get(), before);
  life.stop();
  await pass(10_000);
  expect(life.world.errors.filter(({ error, context }) => context.source !== "document" || !error.cause)).toEqual([]);
}

test.each([0, 3, 700])(
  "[SC13] after any loss, repetition, fork, cut or wrong message, the document equals the server's document and unchanged parts stay the same objects (handlers that take %i ms)",
  async (pauseMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 50 }), (steps) => run(steps, pauseMs)),
      { numRuns: 150 },
    );
  },
  60_000,
);
