import { defineProtocol, type Position } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import * as z from "zod";
import { SimBroker } from "./sim-broker.js";
import { type Peer, ServerHarness } from "./server-harness.js";
import { VirtualEnvironment } from "./virtual-environment.js";

/** A `subscribe` message. Each channel is a name, or an object with a position. */
export const subscribe = (...channels: unknown[]) => ({ type: "subscribe", correlation_id: "s", data: { channels } });
/** A protocol with one channel whose history holds more events than a resume replays. */
export const longHistory = defineProtocol({
  name: "big",
  version: "1.0.0",
  channels: { log: { key: z.string(), events: { line: z.string() }, history: { size: 5_000, ttlMs: 600_000 } } },
  direct: { announcement: z.object({ text: z.string() }) },
});

/**
 * A server on a broker that the test controls. `reads` records each read of the store: the
 * requested part of the log, and the number of returned events.
 */
export function historyServer(options: object = {}, broker = new SimBroker()) {
  const environment = new VirtualEnvironment();
  const server = createServer(longHistory, { ...options, environment, broker });
  const harness = new ServerHarness(server, environment);
  const link = broker.links.at(-1)!;
  const reads: { log?: { after: number; most: number } | undefined; got: number }[] = [];
  const { read } = link;
  link.read = async (topic, options_) => {
    const reading = await read.call(link, topic, options_);
    reads.push({ log: options_.log, got: reading.events.length });
    return reading;
  };
  return { environment, server, harness, link, broker, reads };
}

/** The results of all subscribe responses that the peer received, one for each channel. */
export const subscribeResults = (peer: Peer) =>
  peer.of("subscribe_response").flatMap(({ data }) => data.results) as {
    ok: boolean;
    position: Position;
    missed?: object[];
    reset?: string;
  }[];
