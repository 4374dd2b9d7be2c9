/**
 * Values for property tests: graphs of objects with shared and circular references, with rich
 * values, and with every kind of value that cannot be sent. Whether a value can arrive follows from
 * its description, not from its objects, and the comparison uses no code of the encoder.
 */
import fc from "fast-check";
import { runInNewContext } from "node:vm";

/**
 * Whether a part can be sent: `travels` in every build, `refused` in none, `foreign` (a value of
 * another realm) in every build except a page's production build.
 */
type Fate = "travels" | "refused" | "foreign";
type Part = { readonly fate: Fate; readonly make: () => unknown };
type Member = Part | { readonly ref: number };
interface Node {
  readonly kind: keyof typeof kinds;
  readonly names: readonly string[];
  readonly members: readonly Member[];
}

export interface Sample {
  readonly value: unknown;
  /** The members that cannot arrive, apart from circular references. */
  readonly faults: ReadonlySet<unknown>;
  /** Whether the value can arrive from a page in production, and from any other build. */
  readonly arrives: { readonly page: boolean; readonly elsewhere: boolean };
}

class Account {
  #secret = 1;
  name = "ann";
  reveal(): number {
    return this.#secret;
  }
}
class Ledger extends Map<unknown, unknown> {}
class Moment extends Date {}

const good = (make: () => unknown): Part => ({ fate: "travels", make });
const bad = (make: () => unknown): Part => ({ fate: "refused", make });
const foreign = (code: string): Part => ({ fate: "foreign", make: () => runInNewContext(code) as unknown });
const withOwn = <Value extends object>(value: Value, key: PropertyKey, descriptor: PropertyDescriptor): Value =>
  Object.defineProperty(value, key, { configurable: true, ...descriptor });

const leaves: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "grapheme", maxLength: 4 }).map((text) => good(() => text)) },
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      ...[0, -0, 1.5, -1e300, Number.NaN, Infinity, -Infinity, true, false, null, undefined, 12n, -(10n ** 40n)].map(
        (leaf) => good(() => leaf),
      ),
      good(() => new Date(0)),
      good(() => Object.freeze(new Date(-1))),
      good(() => "👍"),
      good(() => withOwn({}, "read", { get: () => 1n, enumerable: true })),
      good(() => new Proxy([1, new Date(5)], {})),
      good(() => new Proxy({ a: 1n }, {})),
      good(() => ({ toJSON: "a text" })),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      foreign("new Date(7)"),
      foreign("({ at: new Date(7), map: new Map([[1, new Set([2n])]]) })"),
      foreign("[new Date(7)]"),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      bad(() => () => 1),
      bad(() => class {}),
      bad(() => Symbol("a")),
      bad(() => Symbol.iterator),
      bad(() => new Date(Number.NaN)),
      bad(() => new Moment(0)),
      bad(() => new Proxy(new Date(0), {})),
      bad(() => /a/g),
      bad(() => new URL("http://example.com/")),
      bad(() => new TypeError("a")),
      bad(() => new Uint8Array([1])),
      bad(() => new ArrayBuffer(1)),
      bad(() => Buffer.from("a")),
      bad(() => Promise.resolve(1)),
      bad(() => new WeakMap()),
      bad(() => new Account()),
      bad(() => new Ledger()),
      bad(() => new String("a")),
      bad(() => new Number(1)),
      bad(() => Object(1n) as unknown),
      bad(() => Object.create({ inherited: 1 }) as unknown),
      bad(() => Object.create(Map.prototype) as unknown),
      bad(() => Object.create(Date.prototype) as unknown),
      bad(() => "half \ud83d"),
      bad(() => "\udc4d half"),
      bad(() => ({ ["half \ud83d"]: 1 })),
      bad(() => JSON.parse('{"__proto__":1}') as unknown),
      bad(() => ({ [Symbol("a")]: 1 })),
      bad(() => withOwn({ a: 1 }, "hidden", { value: 1, enumerable: false })),
      bad(() => withOwn({}, "read", { get: () => JSON.parse("{") as unknown, enumerable: true })),
      bad(() => [1, , 3]), // oxlint-disable-line no-sparse-arrays
      bad(() => Object.assign([1], { extra: 1 })),
      bad(() => Object.assign(new Date(0), { zone: "UTC" })),
      bad(() => Object.assign(new Map(), { extra: 1 })),
      bad(() => withOwn(new Set(), Symbol("a"), { value: 1 })),
      bad(() => withOwn([], Symbol("a"), { value: 1 })),
      bad(() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      }),
    ),
  },
);

/** How a node is created, and how its members are added when all nodes exist. */
const kinds = {
  object: { make: (): unknown => ({}), fill: fillObject },
  bare: { make: (): unknown => Object.create(null) as unknown, fill: fillObject },
  list: {
    make: (): unknown => [],
    fill: (list: unknown, _: unknown, all: unknown[]) => (list as unknown[]).push(...all),
  },
  map: {
    make: (): unknown => new Map(),
    fill: (map: unknown, names: readonly string[], all: unknown[]) =>
      all.forEach((member, at) =>
        // Every third member is used as a key. The other keys are longer than any string among the
        // members.
        at % 3 === 2
          ? (map as Map<unknown, unknown>).set(member, at)
          : (map as Map<unknown, unknown>).set(`key ${names[at]}`, member),
      ),
  },
  set: {
    make: (): unknown => new Set(),
    fill: (set: unknown, _: unknown, all: unknown[]) => all.forEach((member) => (set as Set<unknown>).add(member)),
  },
};

function fillObject(object: unknown, names: readonly string[], all: unknown[]): void {
  all.forEach((member, at) => ((object as Record<string, unknown>)[names[at]!] = member));
}

const names = fc.shuffledSubarray(["a", "a.b", "a/b", "a\\b", "", "0", "toJSON", "length", "x y", 'q"', "né"], {
  minLength: 5,
});

/**
 * A graph of up to six objects. References may lead to any object, including the object that holds
 * them.
 */
const graphs: fc.Arbitrary<readonly Node[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<(keyof typeof kinds)[]>("object", "object", "bare", "list", "map", "set"),
    names,
    members: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: leaves },
        fc.nat({ max: 30 }).map((ref) => ({ ref })),
      ),
      {
        maxLength: 5,
      },
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

export const samples: fc.Arbitrary<Sample> = fc
  .tuple(graphs, fc.boolean())
  .map(([graph, isAcyclic]) => sampleOf(isAcyclic ? withoutCycles(graph) : graph));

/**
 * Lets references lead only to later objects, so that shared references are as frequent as circular
 * ones.
 */
function withoutCycles(graph: readonly Node[]): readonly Node[] {
  return graph.map((node, at) => ({
    ...node,
    members: node.members.flatMap((member): Member[] => {
      if (!("ref" in member)) return [member];
      const behind = graph.length - at - 1;
      return behind > 0 ? [{ ref: at + 1 + (member.ref % behind) }] : [];
    }),
  }));
}

function sampleOf(graph: readonly Node[]): Sample {
  const made = graph.map(({ kind }) => kinds[kind].make());
  const faults = new Set<unknown>();
  const makeLeaf = ({ fate, make }: Part): unknown => {
    const leaf = make();
    if (fate !== "travels") faults.add(leaf);
    return leaf;
  };
  const indexOf = (ref: number): number => ref % graph.length;
  graph.forEach(({ kind, names: called, members }, at) =>
    kinds[kind].fill(
      made[at],
      called,
      members.map((member) => ("ref" in member ? made[indexOf(member.ref)] : makeLeaf(member))),
    ),
  );
  const arrives = (refused: readonly Fate[]): boolean => {
    const isSound = (at: number, above: readonly number[]): boolean =>
      !above.includes(at) &&
      graph[at]!.members.every((member) =>
        "ref" in member ? isSound(indexOf(member.ref), [...above, at]) : !refused.includes(member.fate),
      );
    return isSound(0, []);
  };
  return {
    value: made[0],
    faults,
    arrives: { page: arrives(["refused", "foreign"]), elsewhere: arrives(["refused"]) },
  };
}

/**
 * True if two values are equal: the same types, names and leaves, in the same order. Prototypes and
 * shared references are not compared.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return Object.is(a, b);
  const [kind, other] = [a, b].map((value) => Object.prototype.toString.call(value));
  if (kind !== other) return false;
  if (kind === "[object Date]") return Object.is(Number(a), Number(b));
  const [left, right] = [partsOf(a), partsOf(b)];
  return (
    left.length === right.length &&
    left.every(([name, part], at) => name === right[at]![0] && isEqual(part, right[at]![1]))
  );
}

function partsOf(value: object): [unknown, unknown][] {
  if (Symbol.iterator in value) return [...[...(value as Iterable<unknown>)].entries()];
  return Object.entries(value);
}

/**
 * True if a field such as `data.items[3].at`, `data["a.b"]` or `data.map[0].(key)` leads to a
 * member that cannot arrive.
 */
export function leadsToFault({ value, faults }: Sample, field: string): boolean {
  const steps = field.match(/\.\([a-z]+\)|\.[^.[]+|\[\d+\]|\["(?:[^"\\]|\\.)*"\]/g) ?? [];
  const holders: unknown[] = [];
  let found = value;
  for (let at = 0; at < steps.length && !faults.has(found); at++) {
    const name: unknown = steps[at]!.startsWith("[") ? JSON.parse(steps[at]!.slice(1, -1)) : steps[at]!.slice(1);
    holders.push(found);
    const side = /^\.\((key|value)\)$/.exec(steps[at + 1] ?? "")?.[1];
    if (found instanceof Map && side) {
      found = [...(found as Map<unknown, unknown>)][Number(name)]?.[side === "key" ? 0 : 1];
      at++;
    } else if (found instanceof Map) found = (found as Map<unknown, unknown>).get(name);
    else if (found instanceof Set) found = [...(found as Set<unknown>)][Number(name)];
    else found = (found as Record<string, unknown>)[name as string];
  }
  return faults.has(found) || holders.includes(found);
}
