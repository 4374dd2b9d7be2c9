import {
  type BaseOptions,
  type Client,
  type ClientOptions,
  createClient,
  type ClientEnvironment,
  type OpenSocket,
} from "@holdfast/client";
import type { Protocol, ProtocolDefinition } from "@holdfast/protocol";
import type { MemorySocket } from "../../src/testing.js";
import { agents } from "./basic-server.js";
import type { ServerHarness } from "./server-harness.js";

/** Receives every frame of every connection. */
export interface FrameTap {
  says(connection: object, frame: string): void;
  hears(connection: object, frame: string): void;
}

/**
 * Real clients that connect to the server over the in-memory transport, in the same virtual time.
 */
export class MemoryClients {
  /** The open sockets, each with the name of its client. */
  readonly sockets = new Map<MemorySocket, string>();
  readonly #harness: () => ServerHarness | undefined;
  readonly #random: () => number;
  /** If set, receives every frame of every connection. */
  tap: FrameTap | undefined;

  /** `harness` returns the server that is up, or undefined while no server is up. */
  constructor(harness: () => ServerHarness | undefined, random: () => number) {
    this.#harness = harness;
    this.#random = random;
  }

  client(name: string, clock: ClientEnvironment["clock"], options: Partial<BaseOptions> = {}) {
    return this.clientOf(agents, name, clock, options);
  }

  clientOf<P extends ProtocolDefinition>(
    protocol: Protocol<P>,
    name: string,
    clock: ClientEnvironment["clock"],
    options: Partial<BaseOptions> = {},
  ): Client<P> {
    const all = {
      url: "ws://memory/ws",
      token: () => Promise.resolve(`token-${name}`),
      ...options,
      environment: {
        clock,
        random: this.#random,
        hints: { isOnline: () => true, subscribe: () => () => {} },
        openSocket: this.#openSocket(name),
      },
    };
    return createClient(protocol, all as unknown as ClientOptions<P>);
  }

  #openSocket(name: string): OpenSocket {
    return (target, listener) => {
      let ended = false;
      let socket: MemorySocket | undefined;
      const end = (code: number, reason: string): void => {
        if (ended) return;
        ended = true;
        if (socket) this.sockets.delete(socket);
        listener.end({ code, reason });
      };
      const open = async (): Promise<void> => {
        const connected = await this.#harness()?.transport.connect({
          url: target.url.replace("ws://memory", ""),
          headers: { "sec-websocket-protocol": target.subprotocols.join(", ") },
        });
        if (!connected?.ok) return end(1006, connected ? `HTTP ${connected.status}` : "");
        socket = connected.socket;
        if (ended) return socket.close();
        this.sockets.set(socket, name);
        const connection = socket;
        socket.onFrame = (frame) => {
          if (ended) return;
          this.tap?.hears(connection, frame);
          listener.message(frame);
        };
        socket.onClosed = end;
        listener.open();
      };
      void open();
      return {
        send: (frame) => {
          if (socket) this.tap?.says(socket, frame);
          socket?.send(frame);
        },
        close: (code, reason) => {
          ended = true;
          if (socket) this.sockets.delete(socket);
          socket?.close(code, reason);
        },
      };
    };
  }
}
