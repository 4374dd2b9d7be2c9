import {
  type ClientMessage,
  type ClientMessageOf,
  HoldfastError,
  type Protocol,
  type ServerMessage,
} from "@holdfast/protocol";
import { type Codec, toWire } from "@holdfast/protocol/internal";
import { replyTo } from "../transport/reply-to.js";
import type { ServerSettings } from "../settings.js";
import type { Connection, HandshakeReceiver } from "../session/connection.js";
import type { JudgedSince } from "../session/recent-disconnects.js";
import type { Sessions } from "../session/sessions.js";
import type { Authenticated, Authenticator } from "./authenticator.js";
import type { FoundCredential } from "./credential.js";
import type { Identity } from "../session/identity.js";

/** The most bytes that an unauthenticated peer may send beside its credential. */
const MAX_TAKEN_BYTES = 65_536;
/**
 * The same limit for the bytes on the wire, which includes unfinished frames. This limit is higher,
 * because a read of 64 KiB may follow the first half of an `auth` message.
 */
const MAX_READ_BYTES = 81_920;
/**
 * The most reads. Each read has a cost, even if the read is short. 64 KiB fill 122 packets of 536
 * bytes, the smallest packets in use on networks.
 */
const MAX_READS = 128;
/**
 * The most pings, counting those of Holdfast and of WebSocket. Each ping has a cost: 64 KiB of
 * pings would cause 4,369 answers.
 */
const MAX_PINGS = 8;

export interface HandshakeContext {
  readonly protocol: Protocol;
  readonly fingerprint: string;
  readonly settings: ServerSettings;
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  readonly codec: Codec<ClientMessage, ServerMessage>;
  /** Called when the connection is open. */
  onOpen(connection: Connection): void;
}

/**
 * Ends the handshake: opens the session and tells the client, which may then send requests and join
 * channels. If the session cannot be opened, the connection is closed. `judgedSince` says when the
 * check of the credential began. `auth` is the message to answer, if the client sent one.
 */
export function finishHandshake(
  connection: Connection,
  identity: Identity | undefined,
  judgedSince: JudgedSince,
  context: HandshakeContext,
  auth?: ClientMessageOf<"auth">,
): void {
  const { protocol, settings, sessions } = context;
  const introduction = {
    deviceId: auth?.data.device_id,
    sessionId: auth?.data.session_id,
    metadata: auth?.metadata,
  };
  const opened = sessions.open(connection, identity, introduction, judgedSince);
  if (!opened.ok) {
    const data = toWire(opened.error);
    if (auth) connection.send({ type: "auth_response", ...replyTo(auth), data: { success: false, error: data } });
    else connection.send({ type: "error", data });
    return connection.close(opened.close, opened.reason);
  }
  const { session, resumed } = opened;
  connection.open(session);
  context.onOpen(connection);
  if (auth) acceptAuth(connection, auth);
  connection.send({
    type: "connected",
    data: {
      session_id: session.id,
      ...(resumed && { resumed }),
      ...(session.userId !== undefined && { user_id: session.userId }),
      ...(session.deviceId !== undefined && { device_id: session.deviceId }),
      protocol: { name: protocol.name, version: protocol.version, fingerprint: context.fingerprint },
      heartbeat: { interval_ms: settings.heartbeat.intervalMs, timeout_ms: settings.heartbeat.timeoutMs },
      limits: {
        message_bytes: settings.limits.messageBytes,
        subscriptions: settings.limits.subscriptions,
        requests_in_flight: settings.limits.requestsInFlight,
      },
    },
  });
  // Called last. Closing the replaced connections runs code of the application, which must find the
  // new connection open.
  opened.finish();
}

/**
 * Receives the frames of a connection before authentication. Apart from pings and pongs, the first
 * message must be `auth`. Clients may send further frames right after `auth`. The server pauses the
 * socket and holds the frames that were already read until `authenticate` has answered.
 */
export class Handshake implements HandshakeReceiver {
  readonly #context: HandshakeContext;
  /** The credential in the upgrade request, if any. */
  readonly #found: FoundCredential | undefined;
  #held: (string | Uint8Array)[] | undefined;
  #takenBytes = 0;
  #readBytes = 0;
  #reads = 0;
  #pings = 0;

  constructor(context: HandshakeContext, found: FoundCredential | undefined) {
    this.#context = context;
    this.#found = found;
  }

  onFrame(connection: Connection, frame: string | Uint8Array): void {
    if (this.#held) {
      if (this.#mayTake(connection, frame)) this.#held.push(frame);
      return;
    }
    const decoded = this.#context.codec.decode(frame);
    if (!decoded.ok)
      return this.#refuse(
        connection,
        new HoldfastError("BAD_MESSAGE", decoded.fault.message, { field: decoded.fault.field }),
      );
    const { message } = decoded;
    if (message.type === "ping" || message.type === "pong") {
      // Counted like held frames: if the peer does not read the pongs, the server must store the
      // pongs.
      if (!this.#mayTake(connection, frame) || !this.#mayPing(connection)) return;
      if (message.type === "ping") connection.send({ ...message, type: "pong" });
      return;
    }
    if (message.type !== "auth") {
      const error = new HoldfastError("UNAUTHENTICATED", `The first message must be auth, not ${message.type}.`, {
        // Usually a token is configured, but in a place that the server does not read.
        remedy:
          "Pass the `token` option to the client, which sends `auth` first. To use `?token=`, set `credentials.queryToken` on the server.",
      });
      return this.#refuse(connection, error, message);
    }
    this.#held = [];
    connection.pause();
    this.#authenticate(connection, message).catch((error: unknown) => {
      this.#context.settings.logger.error({ session: connection.sessionId, err: error }, "handshake failed");
      connection.close("INTERNAL", "the server failed");
    });
  }

  onRead(connection: Connection, bytes: number): void {
    this.#readBytes += bytes;
    if (++this.#reads > MAX_READS || this.#readBytes > MAX_READ_BYTES) this.#tooMuch(connection);
  }

  onPing(connection: Connection): void {
    this.#mayPing(connection);
  }

  async #authenticate(connection: Connection, message: ClientMessageOf<"auth">): Promise<void> {
    const { moment } = this.#context.sessions;
    const result = await this.#check(connection, message);
    if (!connection.isHandshaking) return;
    if (!result.ok) return refuseAuth(connection, message, result.error);
    finishHandshake(connection, result.identity, result.judgedSince ?? moment, this.#context, message);
    connection.resume();
    for (const frame of this.#held ?? []) connection.route(frame);
  }

  /**
   * Checks the token in `auth`. If `auth` has no token, checks the credential of the upgrade
   * request.
   */
  async #check(connection: Connection, { data }: ClientMessageOf<"auth">): Promise<Authenticated> {
    const { token, device_id: deviceId } = data;
    const { authenticator } = this.#context;
    const credential = token === undefined ? this.#found : ({ token, source: "message" } as const);
    if (credential) return authenticator.check(credential, connection.request, connection.parameters, deviceId);
    return authenticator.required ? { ok: false, error: noCredential() } : { ok: true, identity: undefined };
  }

  #mayTake(connection: Connection, frame: string | Uint8Array): boolean {
    this.#takenBytes += frame.length;
    return this.#takenBytes <= MAX_TAKEN_BYTES || this.#tooMuch(connection);
  }

  #mayPing(connection: Connection): boolean {
    return ++this.#pings <= MAX_PINGS || this.#tooMuch(connection);
  }

  #tooMuch(connection: Connection): false {
    connection.close("BAD_REQUEST", "too much was sent before authentication");
    return false;
  }

  #refuse(connection: Connection, error: HoldfastError, message: { correlation_id?: string | undefined } = {}): void {
    connection.send({ type: "error", ...replyTo(message), data: toWire(error) });
    connection.close("UNAUTHENTICATED", "the first message must be auth");
  }
}

/**
 * Refuses an `auth` message and closes the connection. The client may reconnect with a new token.
 */
export function refuseAuth(connection: Connection, message: ClientMessageOf<"auth">, error: HoldfastError): void {
  const data = { success: false, error: toWire(error) } as const;
  connection.send({ type: "auth_response", ...replyTo(message), data });
  connection.close("UNAUTHENTICATED", error.message);
}

/** Answers an `auth` message with the current identity. */
export function acceptAuth(connection: Connection, message: ClientMessageOf<"auth">): void {
  const { userId, deviceId, identity } = connection;
  connection.send({
    type: "auth_response",
    ...replyTo(message),
    data: {
      success: true,
      ...(userId !== undefined && { user_id: userId }),
      ...(deviceId !== undefined && { device_id: deviceId }),
      ...(identity?.expiresAt !== undefined && { expires_at: identity.expiresAt }),
    },
  });
}

function noCredential(): HoldfastError {
  return new HoldfastError("UNAUTHENTICATED", "No credential was found in `auth` or in the upgrade request.", {
    // Usually a credential is configured, but in a place that the server does not read.
    remedy: "Pass the `token` option to the client, or send a cookie that the server reads.",
  });
}
