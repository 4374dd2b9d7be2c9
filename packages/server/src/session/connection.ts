import { type Cancel, type CloseName, closeNumber, type ServerMessage } from "@holdfast/protocol";
import type { Identity } from "./identity.js";
import type { Channels } from "../channel/channels.js";
import { Membership } from "../channel/membership.js";
import type { Subscriber } from "../log/subscriber.js";
import { Calls } from "./calls.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import { Frame } from "../transport/frame.js";
import type { ServerSocket, SocketOwner, UpgradeRequest } from "../transport/socket.js";
import type { Beating, Heartbeat } from "./heartbeat.js";
import type { CredentialLife } from "./credential-life.js";
import { Acks } from "./acks.js";
import { type Departures, Outbox, type Paced } from "./outbox.js";
import type { RenewableSession } from "./session.js";

/**
 * The states of one WebSocket:
 *
 *   handshaking ──authenticated──▶ open ──close()──▶ closing ──socket closed──▶ closed
 *        └─────────── refused, timed out ────────────▲
 *
 * If the socket closes without `close()`, every state leads to `closed`.
 */
type ConnectionPhase =
  | { readonly name: "handshaking"; readonly handshake: HandshakeReceiver; readonly deadline: Cancel }
  | { readonly name: "open" | "closing" | "closed" };

export interface FrameReceiver {
  onFrame(connection: Connection, frame: string | Uint8Array): void;
}

/** Handles a peer that is not authenticated yet. Each frame counts against the peer's limits. */
export interface HandshakeReceiver extends FrameReceiver {
  onRead(connection: Connection, bytes: number): void;
  onPing(connection: Connection): void;
}

/** Shared by all connections of a server. */
export interface ConnectionContext {
  readonly heartbeat: Heartbeat;
  readonly departures: Departures;
  readonly stats: Stats;
  readonly logger: Logger;
  /** Receives the frames of open connections. */
  readonly dispatcher: FrameReceiver;
  readonly channels: Channels;
  /** Called when the connection has left all channels. */
  onLeft(connection: Connection): void;
  /** Called when the socket has closed. */
  onGone(connection: Connection): void;
}

/** One WebSocket of a client. Parts that an idle connection does not need are created when used. */
export class Connection implements SocketOwner, Subscriber, Beating, Paced {
  lastHeardAt: number;
  pingedAt: number | undefined;
  credentialLife: CredentialLife | undefined;
  readonly #socket: ServerSocket;
  readonly #outbox: Outbox;
  readonly #context: ConnectionContext;
  #calls: Calls | undefined;
  #acks: Acks | undefined;
  #membership: Membership | undefined;
  #session: RenewableSession | undefined;
  #state: ConnectionPhase;

  constructor(
    /** The session's id, unless this connection resumes an older session. */
    readonly newSessionId: string,
    readonly request: UpgradeRequest,
    readonly parameters: unknown,
    /** A date: milliseconds since 1970. */
    readonly connectedAt: number,
    socket: ServerSocket,
    context: ConnectionContext,
    handshake: { readonly receiver: HandshakeReceiver; readonly deadline: Cancel },
  ) {
    this.lastHeardAt = context.heartbeat.coarseMs;
    this.#socket = socket;
    this.#outbox = new Outbox(socket, context.departures, this);
    this.#context = context;
    this.#state = { name: "handshaking", handshake: handshake.receiver, deadline: handshake.deadline };
    context.stats.connectionOpened();
  }

  /** The session's id. Until the handshake succeeds, the id that a new session would get. */
  get sessionId(): string {
    return this.#session?.id ?? this.newSessionId;
  }

  get isOpen(): boolean {
    return this.#state.name === "open";
  }

  get isHandshaking(): boolean {
    return this.#state.name === "handshaking";
  }

  /** The client's session; undefined until the handshake succeeds. */
  get session(): RenewableSession | undefined {
    return this.#session;
  }

  get identity(): Identity | undefined {
    return this.#session?.identity;
  }

  get userId(): string | undefined {
    return this.#session?.userId;
  }

  get deviceId(): string | undefined {
    return this.#session?.deviceId;
  }

  get remoteAddress(): string {
    return this.request.remoteAddress;
  }

  get isBehind(): boolean {
    return this.#outbox.isBehind;
  }

  /** When the server last received a frame, as a date for display: milliseconds since 1970. */
  get lastActiveAt(): number {
    return this.#context.heartbeat.dateOf(this);
  }

  /** The number of running requests. Reading it does not create `calls`. */
  get requestsRunning(): number {
    return this.#calls?.size ?? 0;
  }

  get calls(): Calls {
    return (this.#calls ??= new Calls());
  }

  /** The joined channels; undefined until the first subscription. */
  get membership(): Membership | undefined {
    return this.#membership;
  }

  /** The joined channels, created if necessary. */
  ensureMembership(): Membership {
    return (this.#membership ??= new Membership(this.#context.channels, this));
  }

  /** The acknowledgements that the client owes. */
  get acks(): Acks {
    return (this.#acks ??= new Acks());
  }

  /** Ends the handshake. Frames then go to the dispatcher, and the heartbeat begins. */
  open(session: RenewableSession): void {
    if (this.#state.name !== "handshaking") return;
    this.#state.deadline();
    this.#state = { name: "open" };
    this.#session = session;
    this.#context.heartbeat.add(this);
    this.#expectRenewal();
  }

  /** The server has accepted a new credential of the client. */
  refresh(identity: Identity | undefined): void {
    if (this.#session) this.#session.identity = identity;
    this.#expectRenewal();
  }

  #expectRenewal(): void {
    this.credentialLife = this.#context.heartbeat.lifeUntil(this.identity?.expiresAt);
  }

  /** Stops reading frames while the client's credential is checked. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Queues an answer, to be sent as soon as the frames that were just read are handled. */
  send(message: ServerMessage): void {
    this.reply(new Frame(JSON.stringify(message)));
  }

  /** Like `send`, for an answer that is already encoded. */
  reply(frame: Frame): void {
    if (this.#state.name !== "open" && this.#state.name !== "handshaking") return;
    this.#context.stats.sent++;
    this.#outbox.reply(frame);
  }

  /** Queues an event or a ping, to be sent at the end of the turn or earlier with a reply. */
  deliver(frame: Frame): void {
    if (this.#state.name !== "open") return;
    this.#context.stats.sent++;
    this.#outbox.event(frame);
  }

  dismiss(wire: string): void {
    this.#membership?.leave(wire);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  close(why: CloseName | number, reason: string): void {
    if (this.#state.name === "closing" || this.#state.name === "closed") return;
    const unknown = this.#state.name === "handshaking";
    this.#leave();
    this.#state = { name: "closing" };
    // Queued frames are sent first, because the last may be the error that explains the close.
    this.#outbox.flush();
    // A paused socket would not read the peer's close frame, and would stay open until it is cut
    // off.
    this.#socket.resume();
    const code = typeof why === "number" ? why : closeNumber[why];
    if (unknown) this.#socket.dismiss(code, reason);
    else this.#socket.close(code, reason);
  }

  heartbeatMissed(): void {
    this.#context.logger.info({ session: this.sessionId }, "connection closed: heartbeat missed");
    this.close("HEARTBEAT_MISSED", "no frame arrived in time");
  }

  askForCredential(): void {
    const expiresAt = this.identity?.expiresAt;
    if (expiresAt !== undefined) this.send({ type: "auth_expiring", data: { expires_at: expiresAt } });
  }

  credentialExpired(): void {
    this.close("UNAUTHENTICATED", "the credential has expired");
  }

  onFrame(frame: string | Uint8Array): void {
    this.#context.stats.received++;
    this.lastHeardAt = this.#context.heartbeat.coarseMs;
    this.pingedAt = undefined;
    this.route(frame);
  }

  onRead(bytes: number): void {
    if (this.#state.name === "handshaking") this.#state.handshake.onRead(this, bytes);
  }

  onPing(): void {
    if (this.#state.name === "handshaking") this.#state.handshake.onPing(this);
  }

  /** Passes a frame to the receiver of the current state. */
  route(frame: string | Uint8Array): void {
    switch (this.#state.name) {
      case "handshaking":
        return this.#state.handshake.onFrame(this, frame);
      case "open":
        return this.#context.dispatcher.onFrame(this, frame);
      case "closing":
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  onClosed(code: number): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name !== "closing") this.#leave();
    this.#state = { name: "closed" };
    this.#context.stats.connectionsActive--;
    this.#context.logger.debug({ session: this.sessionId, code }, "connection closed");
    this.#context.onGone(this);
  }

  /** Runs once, when the connection stops being `handshaking` or `open`: releases its resources. */
  #leave(): void {
    if (this.#state.name === "handshaking") {
      this.#state.deadline();
      this.#context.stats.connectionsFailed++;
    }
    this.#context.heartbeat.remove(this);
    this.#context.stats.requestsInFlight -= this.#calls?.abandon() ?? 0;
    this.#acks?.abandon();
    this.#membership?.end();
    this.#context.onLeft(this);
  }

  /**
   * Closes a client that cannot keep up, instead of buffering more for it. The client can
   * reconnect. The close frame waits behind all other bytes, so the client usually sees 1006.
   */
  tooSlow(owedBytes: number): void {
    if (this.#state.name === "closing" || this.#state.name === "closed") return;
    this.#context.logger.warn({ session: this.sessionId, owedBytes }, "connection closed: too slow");
    this.close("TOO_SLOW", "the client reads more slowly than the server sends");
  }
}
