import type { PresentUser, ServerMessageOf, ValueSchema } from "@holdfast/protocol";
import { attempt } from "./attempt.js";
import type { Inside } from "./channel.js";
import { readEvent } from "./event.js";
import type { Observable } from "./observable.js";
import type { ChannelEntry } from "./subscriptions-state.js";

/** The users who are present on a channel. `get` returns the same object until the list changes. */
export interface Presence<Data> {
  readonly users: readonly PresentUser<Data>[];
  /**
   * The number of present users. Larger than `users.length` if the server lists only a part of
   * them.
   */
  readonly count: number;
}

type Said = ServerMessageOf<"presence">["data"];

/** The list that all handles of a channel share. */
interface SharedPresenceList {
  list: Presence<unknown>;
  /** By user id: the user, and the JSON that the user was read from. */
  known: ReadonlyMap<string, { readonly text: string; readonly user: PresentUser<unknown> }>;
  /**
   * The message that was read last. Every listener of every handle receives each message, and only
   * the first listener reads it.
   */
  read: Said;
}

const PRESENCE = "$presence";
const NOBODY: Presence<unknown> = { users: [], count: 0 };
const NOBODY_SAID: Said = { kind: "snapshot", joined: [], updated: [], left: [], count: 0 };

/** Entries exist while the channel is wanted. */
const shared = /* @__PURE__ */ new WeakMap<ChannelEntry, SharedPresenceList>();

/** Tracks the users on a channel from the server's snapshots and changes. */
export function createPresenceList(inside: Inside, schema: ValueSchema): Observable<Presence<unknown>> {
  const { id, status, listeners, listen, subscriptions, report } = inside;
  const channel = id.wire;

  const restart = (): SharedPresenceList => {
    const all = { list: NOBODY, known: new Map(), read: NOBODY_SAID };
    shared.set(subscriptions.entry(id)!, all);
    return all;
  };
  const sharedByAll = (): SharedPresenceList => shared.get(subscriptions.entry(id)!)!;

  const get = (): Presence<unknown> => (listeners.hears(PRESENCE) ? sharedByAll().list : NOBODY);

  const read = (said: Said): void => {
    const all = sharedByAll();
    if (all.read === said) return;
    all.read = said;
    const { known, list } = all;
    const next = new Map(said.kind === "snapshot" ? [] : known);
    for (const { user_id: userId, devices, data, meta } of [...said.joined, ...said.updated]) {
      const text = JSON.stringify([devices, data, meta]);
      const before = known.get(userId);
      if (before?.text === text) {
        next.set(userId, before);
        continue;
      }
      const delivery = readEvent(schema, { channel, event: PRESENCE, data, meta }, report);
      if (delivery) next.set(userId, { text, user: { userId, devices, data: delivery.value } });
      else next.delete(userId);
    }
    for (const userId of said.left) next.delete(userId);
    all.known = next;
    const users = [...next.values()].map(({ user }) => user);
    const isSame = users.length === list.users.length && users.every((user, index) => user === list.users[index]);
    if (!isSame || said.count !== list.count) all.list = { users, count: said.count };
  };

  return {
    get,
    subscribe(listener) {
      const holders = subscriptions.entry(id)?.holders ?? [];
      const isKept = [...holders].some((holder) => holder.hears(PRESENCE));
      let seen: Presence<unknown> | undefined;
      const tell = (): void => {
        const now = get();
        if (now === seen) return;
        seen = now;
        void attempt(
          () => listener(now),
          (fault) => report(fault, { source: "handler", channel, event: PRESENCE }),
        );
      };
      const hear = ({ data }: { data: Said }): void => {
        read(data);
        tell();
      };
      const off = listen(PRESENCE, hear);
      if (!isKept) restart();
      // The channel was joined before the first subscriber was added, so the snapshot was missed.
      // The server answers another `subscribe` with a snapshot.
      if (!isKept && subscriptions.entry(id)!.wire === "joined")
        inside.send({ type: "subscribe", data: { channels: [channel] } });
      const stop = status.onChange(({ name }) => {
        // The server sends no changes for a refused channel, so the last list would become stale.
        if (name === "refused") hear({ data: NOBODY_SAID });
        if (name === "idle") stop();
      });
      tell();
      return () => {
        stop();
        off();
      };
    },
  };
}
