import type { ClientMessage, ProtocolDefinition, ServerMessage } from "@holdfast/protocol";
import type { Server } from "@holdfast/server";
import { type MemoryRequest, type MemorySocket, MemoryTransport } from "../../src/testing.js";
import type { VirtualEnvironment } from "./virtual-environment.js";

type Sent = ClientMessage | Record<string, unknown> | string | Uint8Array;

/** A raw peer: sends the frames of the test and records all received messages. */
export class Peer {
  readonly received: ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(
    readonly socket: MemorySocket,
    readonly harness: ServerHarness,
  ) {
    socket.onFrame = (frame) => void this.received.push(JSON.parse(frame) as ServerMessage);
    socket.onClosed = (code, reason) => void (this.closed = { code, reason });
  }

  /** Sends messages in one turn and waits until no promise, turn or frame is pending. */
  async send(...messages: Sent[]): Promise<void> {
    for (const message of messages) {
      this.socket.send(
        typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message),
      );
    }
    await this.harness.settle();
  }

  of<Type extends ServerMessage["type"]>(type: Type): (ServerMessage & { type: Type })[] {
    return this.received.filter((message): message is ServerMessage & { type: Type } => message.type === type);
  }

  last<Type extends ServerMessage["type"]>(type: Type): ServerMessage & { type: Type } {
    const found = this.of(type).at(-1);
    if (!found)
      throw new Error(
        `Expected a message of type ${type}, received only ${this.received.map((message) => message.type).join(", ") || "nothing"}.`,
      );
    return found;
  }
}

/** Runs a server on the in-memory transport, in virtual time, with raw peers as clients. */
export class ServerHarness {
  readonly environment: VirtualEnvironment;
  readonly transport: MemoryTransport;

  constructor(server: Pick<Server<ProtocolDefinition>, "admission">, environment: VirtualEnvironment) {
    this.environment = environment;
    this.transport = new MemoryTransport(server);
  }

  /** Runs promises, turns and frames until none is pending. No time passes. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
      const left = this.environment.endTurn();
      const moved = this.transport.step();
      quiet = left || moved ? 0 : quiet + 1;
    }
  }

  async connect(request: MemoryRequest = {}): Promise<Peer> {
    const result = await this.transport.connect(request);
    if (!result.ok) throw new Error(`HTTP ${result.status}: ${result.message}`);
    const peer = new Peer(result.socket, this);
    await this.settle();
    return peer;
  }

  /** The HTTP status of an upgrade that the server must refuse. */
  async refused(request: MemoryRequest): Promise<number> {
    const result = await this.transport.connect(request);
    if (result.ok) throw new Error("The upgrade was accepted.");
    return result.status;
  }

  async advance(ms: number): Promise<void> {
    const until = this.environment.monotonic() + ms;
    await this.settle();
    while (this.environment.runNext(until)) await this.settle();
  }
}
