import { defineProtocol, type Patch, type ServerMessage } from "@holdfast/protocol";
import { applyPatches } from "@holdfast/protocol/internal";
import { createServer, type ServerOptions } from "@holdfast/server";
import * as z from "zod";
import { fairWeather, SimBroker } from "./sim-broker.js";
import { type Peer, ServerHarness } from "./server-harness.js";
import { VirtualEnvironment } from "./virtual-environment.js";

/**
 * The protocol of the document tests: a keyed board with a document and an event, and one document
 * with rich values.
 */
export const boards = defineProtocol({
  name: "boards",
  version: "1.0.0",
  channels: {
    board: {
      key: z.string(),
      document: z.object({
        title: z.string(),
        cards: z.array(z.object({ id: z.string(), text: z.string() })),
        votes: z.record(z.string(), z.number()).default({}),
      }),
      events: { moved: z.string() },
    },
    rich: { document: z.object({ at: z.date(), tags: z.set(z.string()), total: z.bigint().optional() }) },
  },
});

type Definition = typeof boards.definition;
export type BoardOptions = ServerOptions<Definition, undefined>;

/**
 * One server with documents, in virtual time. If `beside` is passed, both servers share one broker
 * and one clock.
 */
export class DocumentServer {
  readonly environment: VirtualEnvironment;
  readonly broker: SimBroker;
  readonly server;
  readonly world: ServerHarness;

  constructor(options: BoardOptions = {}, beside?: DocumentServer) {
    this.environment = beside?.environment ?? new VirtualEnvironment();
    this.broker = beside?.broker ?? new SimBroker(fairWeather);
    this.server = createServer(boards, { broker: this.broker, ...options, environment: this.environment });
    this.world = new ServerHarness(this.server, this.environment);
  }

  /**
   * Advances virtual time by 500 ms and returns the result of the promise, or throws if the promise
   * is still pending.
   */
  async done<Value>(promise: Promise<Value>): Promise<Value> {
    const settled = promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await this.world.advance(500);
    const outcome = await Promise.race([
      settled,
      Promise.resolve({ error: new Error("The promise is still pending after 500 ms of virtual time.") }),
    ]);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  board(key = "a") {
    return this.server.channel("board", key).document;
  }

  async connect(...messages: Record<string, unknown>[]): Promise<Peer> {
    const peer = await this.world.connect();
    if (messages.length > 0) await peer.send(...messages);
    await this.world.advance(50);
    return peer;
  }
}

/** The channel that most document tests use. */
export const BOARD = "board:a";
/** A board without cards. */
export const empty = { title: "Plan", cards: [] };
/** A `subscribe` message. Each channel is a name, or an object with a position. */
export const subscribe = (...channels: unknown[]) => ({ type: "subscribe", correlation_id: "s", data: { channels } });

/** Rebuilds the document of a channel from the snapshot and patches that the peer received. */
export function heldBy(peer: Peer, channel = BOARD): { readonly data: unknown; readonly version: number } {
  let data: unknown;
  let version = 0;
  const take = (message: ServerMessage): void => {
    if (message.type === "state_sync" && message.channel === channel) ({ state: data, version } = message.data);
    if (message.type === "state_update" && message.channel === channel) {
      data = applyPatches(data, message.data.patches as Patch[]);
      version = message.data.version;
    }
    if (message.type === "subscribe_response")
      for (const result of message.data.results) if (result.ok) result.missed?.forEach(take);
  };
  peer.received.forEach(take);
  return { data, version };
}
