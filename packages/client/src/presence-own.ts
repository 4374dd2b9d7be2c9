import type { RichValue, ValueSchema } from "@holdfast/protocol";
import type { Inside } from "./channel.js";
import { faultError } from "./errors.js";
import { type ChannelEntry, JOINING } from "./subscriptions-state.js";

/** The presence data that all handles of a channel share. */
interface SharedOwnPresence {
  /** The data that each handle has set, with the newest entry last. */
  readonly wanted: Map<Inside, RichValue>;
  /** The data that the client last sent in this join. Undefined if the client has sent none. */
  told: RichValue | undefined;
  /** The id of this join's `subscribe`. Every handle is notified of the same join. */
  batch: string | undefined;
}

/** Entries exist while the channel is wanted. */
const shared = /* @__PURE__ */ new WeakMap<ChannelEntry, SharedOwnPresence>();

/**
 * Stores the presence data that this user has set on a channel and sends the data to the server on
 * every join. If several handles have set data, the newest applies.
 */
export function createOwnPresence(inside: Inside, schema: ValueSchema): (data: unknown) => void {
  const { id, status, listen, subscriptions } = inside;
  /** Withdraws this handle's data. Undefined if the handle has set none. */
  let withdraw: (() => void) | undefined;

  /** Must only be called while the channel is wanted. */
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
  // Runs after the channels that this turn changes: if the turn leaves the channel, the server
  // needs no update.
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
