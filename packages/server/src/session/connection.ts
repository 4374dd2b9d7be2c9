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
 * One socket's life:
 *
 *   handshaking ──authenticated──▶ open ──close()──▶ closing ──socket closed──▶ closed
 *        └─────────── refused, timed out ────────────▲
 *
 * From every state a socket that closes by itself leads to `closed`.
 */
type ConnectionPhase =
  | { readonly name: "handshaking"; readonly handshake: HandshakeReceiver; readonly deadline: Cancel }
  | { readonly name: "open" | "closing" | "closed" };

export interface FrameReceiver {
  onFrame(connection: Connection, frame: string | Uint8Array): void;
}

/** Who is in charge of a peer before it has said who it is. What it costs counts then, too. */
export interface HandshakeReceiver extends FrameReceiver {
  onRead(connection: Connection, bytes: number): void;
  onPing(connection: Connection): void;
}

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly heartbeat: Heartbeat;
  readonly departures: Departures;
  readonly stats: Stats;
  readonly logger: Logger;
  /** Where the frames of an open connection go. */
  readonly dispatcher: FrameReceiver;
  readonly channels: Channels;
  /** The connection takes no more part: it has left the channels that it had joined. */
  onLeft(connection: Connection): void;
  /** Its socket is closed. */
  onGone(connection: Connection): void;
}

/** Holds only what an idle connection needs; the rest is made when it is first used. */
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
    /** The id of the session that this connection begins, unless it continues one. */
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

  /** The id of its session; for log entries it has one during the handshake, too. */
  get sessionId(): string {
    return this.#session?.id ?? this.newSessionId;
  }

  get isOpen(): boolean {
    return this.#state.name === "open";
  }

  get isHandshaking(): boolean {
    return this.#state.name === "handshaking";
  }

  /** Who it is and what is known of it; from the handshake on. */
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

  /**
   * When something was last heard from it, as a date by the wall clock as it is set now:
   * milliseconds since 1970.
   */
  get lastActiveAt(): number {
    return this.#context.heartbeat.dateOf(this);
  }

  /** How many requests are running; asking does not make the table. */
  get requestsRunning(): number {
    return this.#calls?.size ?? 0;
  }

  /** The requests that are running. */
  get calls(): Calls {
    return (this.#calls ??= new Calls());
  }

  /** The channels that it has joined; undefined until its first subscription. */
  get membership(): Membership | undefined {
    return this.#membership;
  }

  /** The same, created if it has none yet. */
  ensureMembership(): Membership {
    return (this.#membership ??= new Membership(this.#context.channels, this));
  }

  /** The acks it owes. */
  get acks(): Acks {
    return (this.#acks ??= new Acks());
  }

  /** Ends the handshake: from now on frames go to the dispatcher, and the heartbeat listens. */
  open(session: RenewableSession): void {
    if (this.#state.name !== "handshaking") return;
    this.#state.deadline();
    this.#state = { name: "open" };
    this.#session = session;
    this.#context.heartbeat.add(this);
    this.#expectRenewal();
  }

  /** The client has sent a newer credential. */
  refresh(identity: Identity | undefined): void {
    if (this.#session) this.#session.identity = identity;
    this.#expectRenewal();
  }

  #expectRenewal(): void {
    this.credentialLife = this.#context.heartbeat.lifeUntil(this.identity?.expiresAt);
  }

  /** Holds the peer back while its credential is checked. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** An answer: leaves as soon as what is being read has been handled. */
  send(message: ServerMessage): void {
    this.reply(new Frame(JSON.stringify(message)));
  }

  /** The same, for an answer that is encoded already. */
  reply(frame: Frame): void {
    if (this.#state.name !== "open" && this.#state.name !== "handshaking") return;
    this.#context.stats.sent++;
    this.#outbox.reply(frame);
  }

  /** An event or a ping: leaves at the end of the turn, together with the others of that turn. */
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
    // What is owed goes first: it may say why.
    this.#outbox.flush();
    // A socket that is not read would not hear the peer's own close frame either, and wait for it
    // until it is cut off.
    this.#socket.resume();
    const code = typeof why === "number" ? why : closeNumber[why];
    if (unknown) this.#socket.dismiss(code, reason);
    else this.#socket.close(code, reason);
  }

  heartbeatMissed(): void {
    this.#context.logger.info({ session: this.sessionId }, "connection closed: heartbeat missed");
    this.close("HEARTBEAT_MISSED", "nothing was heard in time");
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

  /** Hands a frame to whoever is in charge of it in this state. */
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

  /** Leaving `handshaking` or `open` for good: what they hold is given back, once. */
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
   * A reader that cannot keep up is closed rather than buffered for: nobody else waits for it, and
   * it can come back. The close frame stands behind all that is owed, so such a peer mostly sees
   * 1006.
   */
  tooSlow(owedBytes: number): void {
    if (this.#state.name === "closing" || this.#state.name === "closed") return;
    this.#context.logger.warn({ session: this.sessionId, owedBytes }, "connection closed: too slow");
    this.close("TOO_SLOW", "the client reads more slowly than it is sent to");
  }
}
