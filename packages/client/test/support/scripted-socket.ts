import type { ClientMessage, ClientMessageOf, ServerMessage } from "@holdfast/protocol";
import type { OpenSocket, SocketEnd, SocketListener, SocketTarget } from "../../src/socket-contract.js";

/**
 * One attempt from the server's side: the frames that the client sent, and functions to answer
 * them. Nothing happens by itself.
 */
export interface Attempt {
  readonly target: SocketTarget;
  /** The time of the attempt. Milliseconds. */
  readonly at: number;
  readonly sent: ClientMessage[];
  /** The client's close code and reason. */
  closed: { code: number; reason: string } | undefined;
  /** True if the server's side ended the attempt. */
  ended: boolean;
  open(): void;
  receive(message: ServerMessage): void;
  /** Delivers text unchanged. */
  receiveText(frame: string): void;
  end(code?: number, reason?: string, more?: Partial<SocketEnd>): void;
  /** The messages of one type, in order. */
  of<Type extends ClientMessage["type"]>(type: Type): ClientMessageOf<Type>[];
}

/**
 * The behaviour of the server for an attempt. `opened` runs in a microtask; `received` runs for
 * each message of the client.
 */
export interface Behaviour {
  opened?(attempt: Attempt): void;
  received?(attempt: Attempt, message: ClientMessage): void;
}

export interface ScriptedSockets {
  readonly openSocket: OpenSocket;
  readonly attempts: Attempt[];
  /** The newest attempt. */
  readonly last: Attempt;
  /** The attempts that neither side has ended. */
  readonly live: Attempt[];
}

/**
 * Sockets in memory: the n-th attempt uses the n-th behaviour, and later attempts use the last one.
 */
export function scriptedSockets(...behaviours: [Behaviour, ...Behaviour[]]): ScriptedSockets {
  const attempts: Attempt[] = [];
  const openSocket: OpenSocket = (target, listener) => {
    const behaviour = behaviours[Math.min(attempts.length, behaviours.length - 1)]!;
    const attempt = createAttempt(target, listener);
    attempts.push(attempt);
    const isOver = (): boolean => attempt.closed !== undefined || attempt.ended;
    queueMicrotask(() => void (isOver() || behaviour.opened?.(attempt)));
    return {
      send(frame) {
        if (isOver()) throw new Error("The client sent on a socket that has ended.");
        const message = JSON.parse(frame) as ClientMessage;
        attempt.sent.push(message);
        // Answers arrive in a later turn, as from a network.
        queueMicrotask(() => void (isOver() || behaviour.received?.(attempt, message)));
      },
      close(code, reason) {
        if (isOver()) throw new Error("The client closed a socket that has ended.");
        attempt.closed = { code, reason };
      },
    };
  };
  return {
    openSocket,
    attempts,
    get last() {
      return attempts.at(-1)!;
    },
    get live() {
      return attempts.filter((attempt) => !attempt.ended && !attempt.closed);
    },
  };
}

function createAttempt(target: SocketTarget, listener: SocketListener): Attempt {
  const sent: ClientMessage[] = [];
  // After the client has closed a socket, the socket reports nothing, as socket.ts promises.
  const unlessClosed = (run: () => void): void => void (attempt.closed || run());
  const attempt: Attempt = {
    target,
    at: Date.now(),
    sent,
    closed: undefined,
    ended: false,
    open: () => unlessClosed(() => listener.open()),
    receive: (message) => attempt.receiveText(JSON.stringify(message)),
    receiveText: (frame) => unlessClosed(() => listener.message(frame)),
    end: (code = 1006, reason = "", more = {}) =>
      unlessClosed(() => {
        attempt.ended = true;
        listener.end({ code, reason, ...more });
      }),
    of: <Type extends ClientMessage["type"]>(type: Type) =>
      sent.filter((message): message is ClientMessageOf<Type> => message.type === type),
  };
  return attempt;
}
