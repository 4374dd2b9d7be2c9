import type { Protocol } from "@holdfast/protocol";
import type { Broker, BrokerLink } from "../broker/broker.js";
import { memoryBroker } from "../broker/memory-broker.js";
import type { PresenceLink } from "../presence/presence-store.js";
import { Topics } from "../log/topics.js";
import type { ServerSettings } from "../settings.js";

/** A part of the server that is told when instances die or the store loses data. */
export interface InstanceWatcher {
  /** These instances are gone. */
  gone(instances: readonly string[]): void;
  /** The store has lost data, so this part stores its own data again. */
  putAgain(): void;
}

/** This instance's connection to the broker. */
export interface JoinedBroker {
  readonly link: BrokerLink;
  readonly topics: Topics;
  /**
   * The parts needed to share data with other instances; undefined if there can be no other
   * instance.
   */
  readonly shared: PresenceLink | undefined;
  /** Adds a watcher. Watchers are called in the order in which they were added. */
  watch(watcher: InstanceWatcher): void;
}

/**
 * Joins the broker, or an in-memory broker if the application gave none. No topic is followed yet.
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
    // If the application gave no broker, this is the only instance, and nothing has to be shared.
    shared: broker && { id, link, topics, environment },
    watch: (watcher) => void watchers.push(watcher),
  };
}
