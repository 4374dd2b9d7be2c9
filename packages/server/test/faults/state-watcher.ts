import type { Link, Patch, Position } from "@holdfast/protocol";
import { applyPatches, hashOf, links } from "@holdfast/protocol/internal";
import type { ServerMessage } from "@holdfast/protocol/wire";
import { WebSocket } from "ws";
import { until } from "../support/until.js";

/** A version that arrived over the socket, with the document after its patches. */
export interface Seen<Doc> {
  readonly version: number;
  readonly doc: Doc;
}

/**
 * Subscribes to one document over a real socket, applies its patches, and records every message
 * that breaks the chain of versions, positions or hashes.
 */
export class StateWatcher<Doc> {
  readonly seen: Seen<Doc>[] = [];
  readonly faults: string[] = [];
  hashes = 0;
  #isThere = false;
  #version = 0;
  #doc: unknown;
  #position: Position = { epoch: "", offset: 0, id: "" };
  readonly #socket: WebSocket;

  constructor(port: number, channel: string) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    this.#socket = socket;
    socket.on("error", (error) => this.faults.push(`socket: ${error.message}`));
    socket.on("close", (code) => this.faults.push(`closed with ${code}`));
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString("utf8")) as ServerMessage;
      if (message.type === "connected")
        socket.send(JSON.stringify({ type: "subscribe", correlation_id: "1", data: { channels: [channel] } }));
      else this.#take(message);
    });
  }

  async joined(): Promise<void> {
    await until(() => this.#isThere, 10_000, "The first snapshot");
  }

  get version(): number {
    return this.#version;
  }

  get doc(): Doc {
    return this.#doc as Doc;
  }

  end(): void {
    this.#socket.removeAllListeners("close").terminate();
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "state_sync": {
        if (this.#isThere) this.faults.push(`received a second snapshot after version ${this.#version}`);
        this.#isThere = true;
        const { state, version, position, hash } = message.data;
        [this.#doc, this.#version, this.#position] = [state, version, position];
        if (hashOf(state) !== hash) this.faults.push("the hash of the snapshot does not match");
        return;
      }
      case "state_update": {
        const { version, patches, hash } = message.data;
        this.#follow(message.metadata);
        if (version !== this.#version + 1) this.faults.push(`version ${version} after ${this.#version}`);
        this.#version = version;
        this.#doc = applyPatches(this.#doc, patches as Patch[]);
        if (hash !== undefined) {
          this.hashes++;
          if (hashOf(this.#doc) !== hash) this.faults.push(`the hash does not match at version ${version}`);
        }
        // `applyPatches` does not change its input, so every version can be kept.
        this.seen.push({ version, doc: this.#doc as Doc });
        return;
      }
      case "subscribe_response":
        if (!message.data.success) this.faults.push("the subscription was refused");
        return;
      default:
        this.faults.push(`received ${message.type}`);
    }
  }

  #follow(link: Link): void {
    if (!links(this.#position, link)) this.faults.push(`${link.offset} does not follow ${this.#position.offset}`);
    this.#position = { ...this.#position, offset: link.offset, id: link.id };
  }
}
