import { type CloseName, closeNumber, HoldfastError } from "@holdfast/protocol";
import type { Identity } from "../auth/identity.js";
import type { Environment } from "../environment.js";
import { Expiring } from "../expiring.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "./connection.js";
import { Endings, type Where } from "./endings.js";
import { ClientSession, type Introduction, type SessionEnd, type SessionEvent } from "./session.js";

/** A user at the limit of devices may try again: one of them may have gone. */
const FULL_RETRY_MS = 30_000;

/** What a client may say of itself, in characters of JSON: it is kept for as long as the session. */
const MAX_METADATA = 4_096;

export interface SessionSettings {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly authTimeoutMs: number;
  readonly sessionResumeMs: number;
  readonly devices: { readonly perUser: number; readonly whenFull: "refuse" | "replace_oldest" };
  /** Whether the protocol wants devices to be named. */
  readonly deviceRequired: boolean;
  /** Makes what the application keeps in a session. */
  readonly sessionData: ((start: { identity: Identity | undefined; parameters: unknown }) => unknown) | undefined;
}

/** What comes of a connection that wants to take part. */
export type Opened =
  | { readonly ok: true; readonly session: ClientSession; readonly resumed: boolean }
  | { readonly ok: false; readonly error: HoldfastError; readonly close: CloseName | number; readonly reason: string };

/**
 * Remembers the sessions: by id, and by user and device. A device has one session, and a session at most one connection:
 * whoever comes later takes the place. Everything here happens in one go, so of two connections that authenticate at the
 * same time the later one to finish wins, and there is no moment at which both are in.
 */
export class Sessions {
  readonly #byId = new Map<string, ClientSession>();
  readonly #byUser = new Map<string, Map<string, ClientSession>>();
  readonly #away: Expiring<ClientSession>;
  /** Who was ended a moment ago: whoever was being authenticated meanwhile is meant as well. */
  readonly #endings: Endings;
  readonly #settings: SessionSettings;
  readonly #stats: Stats;
  readonly #listeners = new Set<{ listener: (event: SessionEvent) => void }>();

  constructor(settings: SessionSettings, stats: Stats) {
    this.#settings = settings;
    this.#stats = stats;
    this.#away = new Expiring(settings.environment, settings.sessionResumeMs, (session) =>
      this.#forget(session, "expired"),
    );
    this.#endings = new Endings(settings.environment, settings.authTimeoutMs);
  }

  /** To be asked before a credential is judged, and given to `open`. */
  get moment(): number {
    return this.#endings.moment;
  }

  get(id: string): ClientSession | undefined {
    return this.#byId.get(id);
  }

  /** Those that have a connection. */
  live(): ClientSession[] {
    return [...this.#byId.values()].filter((session) => session.isConnected);
  }

  /** Those of a user, connected or waiting to be resumed. */
  ofUser(userId: string): ClientSession[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  device(userId: string, deviceId: string): ClientSession | undefined {
    const session = this.#byUser.get(userId)?.get(deviceId);
    return session?.isConnected ? session : undefined;
  }

  on(listener: (event: SessionEvent) => void): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  tell(event: SessionEvent): void {
    for (const { listener } of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#settings.logger.error({ session: event.session.id, err: error }, "a listener of onSession failed");
      }
    }
  }

  /** A connection has shown who it is: finds the session it continues, or begins one. */
  open(
    connection: Connection,
    identity: Identity | undefined,
    introduction: Introduction,
    judgedSince: number,
  ): Opened {
    const named = identity && (identity.deviceId ?? introduction.deviceId);
    if (this.#settings.deviceRequired && named === undefined) return deviceMissing;
    if (introduction.metadata && JSON.stringify(introduction.metadata).length > MAX_METADATA) return tooWordy;
    const previous = this.#continued(identity, named, introduction.sessionId);
    const id = connection.id;
    const session = new ClientSession(id, identity, identity && (named ?? id), connection, this);
    if (previous) session.data = previous.data;
    const refused =
      (previous ? undefined : this.#makeData(session)) ??
      this.#endedMeanwhile(session, introduction, judgedSince) ??
      (previous ? undefined : this.#makeRoom(session));
    if (refused) return refused;
    if (previous) this.#resume(previous, connection, identity);
    else this.#remember(session);
    const opened = previous ?? session;
    if (introduction.metadata) opened.metadata = introduction.metadata;
    return { ok: true, session: opened, resumed: previous !== undefined };
  }

  /** A connection has left. If it is the one its session has, the session waits for the next. */
  left(connection: Connection): void {
    const { session } = connection;
    if (!session || session.connection !== connection) return;
    // Without a user nothing but the id would say whose session it is, and an id must not be enough to continue it.
    if (session.userId === undefined || this.#settings.sessionResumeMs === 0) return this.#forget(session, "expired");
    session.leave("away");
    this.#away.add(session);
    this.#count();
    this.tell({ type: "dropped", session });
  }

  /** Ends a session for good, whatever it is doing: its id continues nothing any more. */
  end(session: ClientSession, code: number, reason: string): void {
    this.#endings.session(session.id, code, reason);
    this.#close(session, "disconnected", code, reason);
  }

  /** Ends what a user has, or what of it fits; how much there was. */
  endUser(userId: string, code: number, reason: string, where: Where | undefined): number {
    this.#endings.user(userId, code, reason, where);
    const sessions = this.ofUser(userId).filter((session) => !where || where(session));
    for (const session of sessions) this.#close(session, "disconnected", code, reason);
    return sessions.length;
  }

  /** The server is closing: nothing waits any more. */
  clear(): void {
    this.#away.clear();
    this.#endings.clear();
    for (const session of [...this.#byId.values()]) if (!session.isConnected) this.#forget(session, "expired");
  }

  /** Only the same user continues a session, and only on the same device. */
  #continued(
    identity: Identity | undefined,
    device: string | undefined,
    id: string | undefined,
  ): ClientSession | undefined {
    const session = id === undefined || !identity ? undefined : this.#byId.get(id);
    if (session?.userId === undefined || session.userId !== identity?.userId) return undefined;
    return device === undefined || device === session.deviceId ? session : undefined;
  }

  #resume(session: ClientSession, connection: Connection, identity: Identity | undefined): void {
    const before = session.connection;
    this.#away.delete(session);
    session.identity = identity;
    session.state = { name: "live", connection };
    // It has not been noticed yet that the old one is dead. It is no longer the session's, so its end ends nothing.
    before?.close("REPLACED", "the session continues on a newer connection");
    this.#count();
  }

  #makeData(session: ClientSession): Opened | undefined {
    try {
      const { identity, parameters } = session;
      session.data = this.#settings.sessionData?.({ identity, parameters });
      return undefined;
    } catch (error) {
      this.#settings.logger.error({ session: session.id, err: error }, "sessionData failed");
      const told = new HoldfastError("INTERNAL", "The session could not be begun.");
      return { ok: false, error: told, close: "INTERNAL", reason: "the server failed" };
    }
  }

  /** Whether the application has ended what this would be, after the credential began to be judged. */
  #endedMeanwhile(session: ClientSession, { sessionId }: Introduction, judgedSince: number): Opened | undefined {
    const ending = this.#endings.since(judgedSince, session, sessionId);
    if (!ending) return undefined;
    return { ok: false, error: endedMeanwhile, close: ending.code, reason: ending.reason };
  }

  /** Ends what stands in the way of a new session: the older one of its device, and the oldest of a user who has too many. */
  #makeRoom({ userId, deviceId }: ClientSession): Opened | undefined {
    if (userId === undefined || deviceId === undefined) return undefined;
    const { perUser, whenFull } = this.#settings.devices;
    const devices = this.#byUser.get(userId);
    const older = devices?.get(deviceId);
    if (older)
      this.#close(older, "replaced", closeNumber.REPLACED, "a newer connection of the same device took its place");
    else if (devices && devices.size >= perUser) {
      // Those that wait to be resumed go first: nobody is there to be turned away.
      const all = [...devices.values()].sort((a, b) => rank(a) - rank(b));
      const [oldest] = all as [ClientSession];
      if (oldest.isConnected && whenFull === "refuse") return full(perUser);
      this.#close(
        oldest,
        "replaced",
        closeNumber.REPLACED,
        `a newer device took its place: a user may have ${perUser}`,
      );
    }
    return undefined;
  }

  #close(session: ClientSession, why: SessionEnd, code: number, reason: string): void {
    const { connection } = session;
    this.#forget(session, why);
    connection?.close(code, reason);
  }

  #remember(session: ClientSession): void {
    this.#byId.set(session.id, session);
    const { userId, deviceId } = session;
    if (userId !== undefined && deviceId !== undefined) {
      const devices = this.#byUser.get(userId);
      if (devices) devices.set(deviceId, session);
      else this.#byUser.set(userId, new Map([[deviceId, session]]));
    }
    this.#count();
  }

  #forget(session: ClientSession, reason: SessionEnd): void {
    if (session.state.name === "ended") return;
    session.leave("ended");
    this.#away.delete(session);
    this.#byId.delete(session.id);
    const { userId, deviceId } = session;
    const devices = userId === undefined ? undefined : this.#byUser.get(userId);
    if (deviceId !== undefined) devices?.delete(deviceId);
    if (userId !== undefined && devices?.size === 0) this.#byUser.delete(userId);
    this.#count();
    this.tell({ type: "ended", session, reason });
  }

  #count(): void {
    this.#stats.sessionsAway = this.#away.size;
    this.#stats.sessionsLive = this.#byId.size - this.#away.size;
    this.#stats.users = this.#byUser.size;
  }
}

const endedMeanwhile = new HoldfastError("UNAUTHENTICATED", "The user or session was disconnected meanwhile.");

/** Sessions that are away before those that are live, and those heard from longest ago first. */
function rank(session: ClientSession): number {
  return (session.isConnected ? 1e15 : 0) + session.lastActiveAt.getTime();
}

const deviceMissing: Opened = {
  ok: false,
  error: new HoldfastError("BAD_MESSAGE", "The protocol requires a device id, and none was named.", {
    field: "data.device_id",
    remedy: "Name the device in auth (the client: its `deviceId` option), or return a deviceId from authenticate.",
  }),
  close: "BAD_REQUEST",
  reason: "a device id is required",
};

const tooWordy: Opened = {
  ok: false,
  error: new HoldfastError("LIMIT_EXCEEDED", `metadata: expected at most ${MAX_METADATA} characters of JSON.`, {
    field: "metadata",
    remedy: "Say less, or declare connection parameters.",
  }),
  close: "BAD_REQUEST",
  reason: "the metadata of auth is too large",
};

function full(perUser: number): Opened {
  const error = new HoldfastError(
    "LIMIT_EXCEEDED",
    `This user has ${perUser} devices connected, and may have no more.`,
    {
      remedy: "Disconnect another device first.",
      retryAfterMs: FULL_RETRY_MS,
    },
  );
  return { ok: false, error, close: "RATE_LIMITED", reason: `{"retryAfterMs":${FULL_RETRY_MS}}` };
}
