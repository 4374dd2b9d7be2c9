import type { RichValue, ValueSchema } from "@holdfast/protocol";
import type { Inside } from "./channel.js";
import { faultError } from "./errors.js";
import { type ChannelEntry, JOINING } from "./subscriptions-state.js";

/** What all handles of a channel share. */
interface SharedOwnPresence {
  /** By handle, the newest last. */
  readonly wanted: Map<Inside, RichValue>;
  /** What the server was told in this join. */
  told: RichValue | undefined;
  /** The `subscribe` of this join; every handle hears of it. */
  batch: string | undefined;
}

/** Kept for as long as the channel is wanted. */
const shared = /* @__PURE__ */ new WeakMap<ChannelEntry, SharedOwnPresence>();

/**
 * Remembers what the others on a channel should see of this user, and tells the server on each
 * join.
 */
export function createOwnPresence(inside: Inside, schema: ValueSchema): (data: unknown) => void {
  const { id, status, listen, subscriptions } = inside;
  /** Ends what the first `set` began. */
  let withdraw: (() => void) | undefined;

  /** Only while the channel is wanted. */
  const sharedByAll = (): SharedOwnPresence => {
    const entry = subscriptions.entry(id)!;
    const all = shared.get(entry) ?? { wanted: new Map(), told: undefined, batch: undefined };
    shared.set(entry, all);
    return all;
  };

  const tell = (): void => {
    const wire = subscriptions.entry(id)?.wire;
    if (wire !== "joining" && wire !== "joined") return;
    const all = sharedByAll();
    const newest = [...all.wanted.values()].at(-1);
    if (newest === all.told) return;
    all.told = newest;
    inside.send({ type: "set_presence", channel: id.wire, ...newest });
  };
  // Behind the changes to channels of this turn: of a channel that is left now, the server need not
  // be told.
  const tellLater = (): void => void Promise.resolve().then(tell);

  const begin = (): (() => void) => {
    const off = listen(JOINING, (batch: string) => {
      const all = sharedByAll();
      if (all.batch !== batch) [all.batch, all.told] = [batch, undefined];
      tell();
    });
    const { wanted } = sharedByAll();
    const end = (): void => {
      withdraw = undefined;
      wanted.delete(inside);
      stop();
      off();
      tellLater();
    };
    const stop = status.onChange(({ name }) => void (name === "idle" && end()));
    return end;
  };

  return (data) => {
    if (data === undefined) return withdraw?.();
    const checked = schema.send(data, "data");
    const where = `The presence on ${id.wire}`;
    if (!checked.ok) throw faultError("INVALID_INPUT", where, checked.fault);
    const error = inside.fault({ type: "set_presence", channel: id.wire, ...checked.value }, where);
    if (error) throw error;
    withdraw ??= begin();
    const { wanted } = sharedByAll();
    wanted.delete(inside);
    wanted.set(inside, checked.value);
    tellLater();
  };
}
