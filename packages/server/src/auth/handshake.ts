import {
  type ClientMessage,
  type Codec,
  HoldfastError,
  type Protocol,
  type ServerMessage,
  toWire,
} from "@holdfast/protocol";
import { replyTo } from "../dispatch/reply-to.js";
import type { Settings } from "../options.js";
import type { Connection, HandshakeReceiver } from "../session/connection.js";
import type { Authenticator } from "./authenticator.js";
import type { Identity } from "./identity.js";

/** What an unauthenticated peer may send beside its credential. */
const MAX_TAKEN_BYTES = 65_536;
/** The same on the wire, frames that never end included: a read of 64 KiB may come behind the first half of an `auth`. */
const MAX_READ_BYTES = 81_920;
/** A read costs us something however short it is. 64 KiB are 122 of the shortest packets that networks make (536 bytes). */
const MAX_READS = 128;
/** So does a ping, ours or that of WebSocket itself: 64 KiB of them are 4,369 answers. */
const MAX_PINGS = 8;

export interface HandshakeContext {
  readonly protocol: Protocol;
  readonly fingerprint: string;
  readonly settings: Settings;
  readonly authenticator: Authenticator;
  readonly codec: Codec<ClientMessage, ServerMessage>;
  /** The connection is open: it may take part. */
  onOpen(connection: Connection): void;
}

/** Ends the handshake: whoever this is may now send requests and join channels. */
export function finishHandshake(
  connection: Connection,
  identity: Identity | undefined,
  context: HandshakeContext,
): void {
  const { protocol, settings } = context;
  connection.open(identity);
  if (!connection.isOpen) return;
  context.onOpen(connection);
  connection.send({
    type: "connected",
    data: {
      session_id: connection.id,
      ...(identity && { user_id: identity.userId }),
      ...(connection.deviceId !== undefined && { device_id: connection.deviceId }),
      protocol: { name: protocol.name, version: protocol.version, fingerprint: context.fingerprint },
      heartbeat: { interval_ms: settings.heartbeat.intervalMs, timeout_ms: settings.heartbeat.timeoutMs },
      limits: {
        message_bytes: settings.limits.messageBytes,
        subscriptions: settings.limits.subscriptions,
        requests_in_flight: settings.limits.requestsInFlight,
      },
    },
  });
}

/**
 * A connection without a credential: its first message has to be `auth`. Clients send what follows right behind it, so those
 * frames are held, and the socket is paused, until the application has decided.
 */
export class Handshake implements HandshakeReceiver {
  readonly #context: HandshakeContext;
  #held: (string | Uint8Array)[] | undefined;
  #takenBytes = 0;
  #readBytes = 0;
  #reads = 0;
  #pings = 0;

  constructor(context: HandshakeContext) {
    this.#context = context;
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
      // Counted like what is held: a peer that does not read its pongs makes us keep them.
      if (!this.#mayTake(connection, frame) || !this.#mayPing(connection)) return;
      if (message.type === "ping") connection.send({ ...message, type: "pong" });
      return;
    }
    if (message.type !== "auth") {
      const error = new HoldfastError("UNAUTHENTICATED", `The first message must be auth, not ${message.type}.`, {
        // Whoever reads this mostly believes to have given a token.
        remedy:
          "Send auth first (the client: its `token` option). `?token=` needs `credentials.queryToken` on the server.",
      });
      return this.#refuse(connection, error, message);
    }
    this.#held = [];
    connection.pause();
    this.#authenticate(connection, message).catch((error: unknown) => {
      this.#context.settings.logger.error({ session: connection.id, err: error }, "a handshake could not be finished");
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

  async #authenticate(connection: Connection, message: ClientMessage & { type: "auth" }): Promise<void> {
    const { token = "", device_id: deviceId } = message.data;
    const result = await this.#context.authenticator.check(
      { token, source: "message" },
      connection.request,
      connection.parameters,
      deviceId,
    );
    if (!connection.isHandshaking) return;
    connection.claimedDeviceId = deviceId;
    answerAuth(connection, message, result.ok ? result.identity : result.error);
    if (!result.ok) return;
    finishHandshake(connection, result.identity, this.#context);
    connection.resume();
    for (const frame of this.#held ?? []) connection.route(frame);
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

/** Answers an `auth` message. A refusal ends the connection: the client comes back with a new token. */
export function answerAuth(
  connection: Connection,
  message: ClientMessage & { type: "auth" },
  result: Identity | undefined | HoldfastError,
): void {
  if (result instanceof HoldfastError) {
    connection.send({ type: "auth_response", ...replyTo(message), data: { success: false, error: toWire(result) } });
    connection.close("UNAUTHENTICATED", result.message);
    return;
  }
  const deviceId = result?.deviceId ?? connection.claimedDeviceId;
  connection.send({
    type: "auth_response",
    ...replyTo(message),
    data: {
      success: true,
      ...(result && { user_id: result.userId }),
      ...(deviceId !== undefined && { device_id: deviceId }),
      ...(result?.expiresAt !== undefined && { expires_at: result.expiresAt }),
    },
  });
}
