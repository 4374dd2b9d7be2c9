import type { Protocol } from "@holdfast/protocol";
import type { Broker, BrokerLink } from "../broker/broker.js";
import { memoryBroker } from "../broker/memory-broker.js";
import type { PresenceLink } from "../presence/presence-store.js";
import { Topics } from "../log/topics.js";
import type { ServerSettings } from "../settings.js";

/** A part of the server that has to know how the other instances and the store fare. */
export interface InstanceWatcher {
  /** These instances are gone. */
  gone(instances: readonly string[]): void;
  /** The store has lost data: this instance stores its own again. */
  putAgain(): void;
}

/** This instance's place at the broker. */
export interface JoinedBroker {
  readonly link: BrokerLink;
  readonly topics: Topics;
  /** What parts need to share data with other instances; undefined if there can be none. */
  readonly shared: PresenceLink | undefined;
  /** Watchers are told in the order in which they were added. */
  watch(watcher: InstanceWatcher): void;
}

/**
 * Joins the broker, or the memory of this process if the application gave none. Nothing follows a
 * topic yet.
 */
export function joinBroker(protocol: Protocol, broker: Broker | undefined, settings: ServerSettings): JoinedBroker {
  const { environment, logger } = settings;
  const watchers: InstanceWatcher[] = [];
  const id = environment.newId();
  const topics = new Topics(broker ?? memoryBroker(), {
    id,
    protocol: protocol.name,
    environment,
    logger,
    onGone: (instances) => watchers.forEach((watcher) => watcher.gone(instances)),
    onForgotten: () => watchers.forEach((watcher) => watcher.putAgain()),
  });
  const { link } = topics;
  return {
    link,
    topics,
    // Without a broker of its own a server is the only instance there can be: no other has to be
    // told or asked anything.
    shared: broker && { id, link, topics, environment },
    watch: (watcher) => void watchers.push(watcher),
  };
}
