import type { Protocol } from "@holdfast/protocol";
import { memoryBroker } from "../../src/broker/memory-broker.js";
import { Channels } from "../../src/channel/channels.js";
import { LocalChannels } from "../../src/channel/local-channels.js";
import { Topics } from "../../src/log/topics.js";
import { silentLogger } from "../../src/observe/logger.js";
import { Stats } from "../../src/observe/stats.js";
import type { VirtualEnvironment } from "./virtual-environment.js";

/** The channels of one instance on a memory broker, without a server and without sessions. */
export function bareChannels(protocol: Protocol, environment: VirtualEnvironment, stats = new Stats()) {
  const topics = new Topics(memoryBroker(), {
    id: environment.newId(),
    protocol: protocol.name,
    environment,
    logger: silentLogger,
    onGone() {},
    onForgotten() {},
  });
  const { link } = topics;
  const presence = { environment, graceMs: 5_000, mostListed: 1_000, mostBytes: 262_144 };
  const parts = {
    protocol,
    local: new LocalChannels(),
    link,
    topics,
    environment,
    logger: silentLogger,
    stats,
    loadDocument: () => undefined,
    maxEventBytes: 1_048_576,
    presence,
  };
  const channels = new Channels(parts);
  const close = async (): Promise<void> => {
    channels.close();
    topics.close();
    await link.close();
  };
  return { channels, close };
}
