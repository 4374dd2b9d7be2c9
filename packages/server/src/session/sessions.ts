import { type CloseName, closeNumber, HoldfastError } from "@holdfast/protocol";
import type { Identity } from "./identity.js";
import { type ServerEnvironment, isThenable } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "./connection.js";
import { RecentDisconnects, type JudgedSince, type OrderPlace, type SessionFilter } from "./recent-disconnects.js";
import {
  deviceMissing,
  endedMeanwhile,
  full,
  MAX_METADATA,
  notBegun,
  type SessionRefusal,
  tooWordy,
} from "./refusals.js";
import { ClientSession } from "./client-session.js";
import { SessionIndex } from "./session-index.js";
import type { Introduction, SessionEnd, SessionEvent } from "./session.js";
import { SessionEvents } from "./session-events.js";

export interface SessionSettings {
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  /**
   * The longest time between the check of a credential and the opening of the session.
   * Milliseconds.
   */
  readonly judgementMs: number;
  readonly sessionResumeMs: number;
  readonly devices: { readonly perUser: number; readonly whenFull: "refuse" | "replace_oldest" };
  /** True if the protocol requires a device id. */
  readonly deviceRequired: boolean;
  /** Creates the application's data of a session. */
  readonly sessionData: ((start: { identity: Identity | undefined; parameters: unknown }) => unknown) | undefined;
}

/** The result of opening a session for a connection. */
export type Opened =
  | {
      readonly ok: true;
      readonly session: ClientSession;
      readonly resumed: boolean;
      /**
       * Call this function when the connection is open. It notifies the application and closes the
       * connections that the new one replaces.
       */
      finish(): void;
    }
  | SessionRefusal;

/**
 * All sessions of this instance, by id and by user and device. A device has one session, and a
 * session has at most one connection; a newer connection replaces the older one. All changes are
 * synchronous. If two connections of a device authenticate at the same time, the connection that
 * finishes later wins, and the other is closed in the same step.
 */
export class Sessions {
  readonly #index = new SessionIndex();
  readonly #away: ExpiryQueue<ClientSession>;
  /** The latest disconnects. A connection in authentication at that time is refused too. */
  readonly #disconnects: RecentDisconnects;
  readonly #settings: SessionSettings;
  readonly #stats: Stats;
  readonly #events: SessionEvents;

  constructor(settings: SessionSettings, stats: Stats) {
    this.#settings = settings;
    this.#stats = stats;
    this.#away = new ExpiryQueue(settings.environment, settings.sessionResumeMs, (session) => this.#expire(session));
    this.#disconnects = new RecentDisconnects(settings.environment, settings.judgementMs);
    this.#events = new SessionEvents(settings.logger);
  }

  /** Read this value before a credential is checked, and pass it to `open`. */
  get moment(): number {
    return this.#disconnects.moment;
  }

  get(id: string): ClientSession | undefined {
    return this.#index.get(id);
  }

  /** The sessions that have a connection. */
  live(): ClientSession[] {
    return this.#index.all().filter((session) => session.isConnected);
  }

  /** The sessions of a user, including those that wait to be resumed. */
  ofUser(userId: string): ClientSession[] {
    return this.#index.ofUser(userId);
  }

  /** The session of a device, connected or waiting to be resumed. */
  device(userId: string, deviceId: string): ClientSession | undefined {
    return this.#index.device(userId, deviceId);
  }

  on(listener: (event: SessionEvent) => unknown): () => void {
    if (typeof listener !== "function")
      throw new HoldfastError("INVALID_OPTION", "onSession: expected a function.", { field: "listener" });
    return this.#events.on(listener);
  }

  /** Resolves when no listener is running. */
  idle(): Promise<void> {
    return this.#events.idle();
  }

  /** Resumes or begins the session of an authenticated connection. */
  open(
    connection: Connection,
    identity: Identity | undefined,
    introduction: Introduction,
    judgedSince: JudgedSince,
  ): Opened {
    const named = identity && (identity.deviceId ?? introduction.deviceId);
    if (this.#settings.deviceRequired && named === undefined) return deviceMissing;
    if (introduction.metadata && JSON.stringify(introduction.metadata).length > MAX_METADATA) return tooWordy;
    const previous = this.#continued(identity, named, introduction.sessionId);
    const { newSessionId } = connection;
    const session = new ClientSession(newSessionId, identity, identity && (named ?? newSessionId), connection, this);
    const room = previous ? [] : this.#room(session);
    if (!Array.isArray(room)) return room;
    if (previous) session.data = previous.data;
    else if (!this.#makeData(session)) return notBegun;
    // Checked last, because `sessionData` may have disconnected the user.
    const ending = this.#disconnects.since(judgedSince, session, introduction.sessionId);
    if (ending) return endedMeanwhile(ending.code, ending.reason);
    if (!previous) session.introduced = introduction.sessionId;
    const opened = previous ?? session;
    if (introduction.metadata) opened.metadata = introduction.metadata;
    return previous ? this.#resume(previous, connection, identity) : this.#begin(session, room);
  }

  /**
   * A connection has left all channels. If the session has no newer connection, the session waits
   * to be resumed, or ends if it cannot be resumed.
   */
  left(connection: Connection): void {
    const session = connection.session && this.#index.get(connection.session.id);
    if (!session || session.connection !== connection) return;
    // Without a user, only the id would identify the session, and an id must not suffice to resume
    // it.
    if (session.userId === undefined || this.#settings.sessionResumeMs === 0) return this.#expire(session);
    session.leave("away");
    this.#away.add(session);
    this.#count();
    this.#events.tell({ type: "dropped", session });
  }

  /** Ends a session permanently. Returns true if the session existed. */
  end(id: string, code: number, reason: string, place?: OrderPlace): boolean {
    const session = place?.isOld ? undefined : this.#index.get(id);
    this.#disconnects.session(id, code, reason, place);
    if (session) this.#leave(session, "disconnected", code, reason);
    return session !== undefined;
  }

  /** Ends the sessions of a user, or those that match `where`. Returns their number. */
  endUser(userId: string, code: number, reason: string, where: SessionFilter | undefined, place?: OrderPlace): number {
    const sessions = place?.isOld ? [] : this.ofUser(userId).filter((session) => !where || where(session));
    this.#disconnects.user(userId, code, reason, where, place);
    for (const session of sessions) this.#leave(session, "disconnected", code, reason);
    return sessions.length;
  }

  /** An order of this instance to all instances has received an offset. */
  placed(place: OrderPlace): void {
    this.#disconnects.placed(place);
  }

  /** Ends a session because another session replaces it. The user is not banned. */
  yield(session: ClientSession, why: SessionEnd, { close, reason }: { close: CloseName; reason: string }): void {
    this.#leave(session, why, closeNumber[close], reason);
  }

  /** The server is closing, so sessions that wait to be resumed end. */
  clear(): void {
    this.#away.clear();
    this.#disconnects.close();
    for (const session of this.#index.all()) if (!session.isConnected) this.#expire(session);
  }

  /** A session is resumed only by the same user and on the same device. */
  #continued(
    identity: Identity | undefined,
    device: string | undefined,
    id: string | undefined,
  ): ClientSession | undefined {
    const session = id === undefined || !identity ? undefined : this.#index.get(id);
    if (session?.userId === undefined || session.userId !== identity?.userId) return undefined;
    return device === undefined || device === session.deviceId ? session : undefined;
  }

  #resume(session: ClientSession, connection: Connection, identity: Identity | undefined): Opened {
    const before = session.connection;
    this.#away.delete(session);
    session.identity = identity;
    session.state = { name: "live", connection };
    this.#count();
    const finish = (): void => {
      this.#events.tell({ type: "resumed", session });
      // The server may not have noticed that the old connection is dead. The session has a new
      // connection already, so closing the old one does not end the session.
      before?.close("REPLACED", "the session continues on a newer connection");
    };
    return { ok: true, session, resumed: true, finish };
  }

  #begin(session: ClientSession, leaving: readonly Leaving[]): Opened {
    const connections = leaving.map(({ session: older }) => older.connection);
    this.#remember(session);
    const ends = leaving.flatMap(({ session: older, why }) => this.#forget(older, why));
    const finish = (): void => {
      this.#events.tell(...ends, { type: "opened", session });
      leaving.forEach(({ reason }, index) => connections[index]?.close("REPLACED", reason));
    };
    return { ok: true, session, resumed: false, finish };
  }

  /** Returns false if the application's `sessionData` failed. */
  #makeData(session: ClientSession): boolean {
    const failed = (error: unknown): void =>
      this.#settings.logger.error({ session: session.id, err: error }, "sessionData failed");
    try {
      const { identity, parameters } = session;
      session.data = this.#settings.sessionData?.({ identity, parameters });
      if (!isThenable(session.data)) return true;
      Promise.resolve(session.data).catch(failed);
      failed(new Error("sessionData must not return a promise. Load the data in `authenticate` instead."));
    } catch (error) {
      failed(error);
    }
    return false;
  }

  /**
   * Returns the sessions that must leave for a new session: the previous session of the device, or
   * the oldest session of a user at the limit. If the oldest session may not be replaced, returns
   * the refusal.
   */
  #room({ userId, deviceId }: ClientSession): Leaving[] | SessionRefusal {
    if (userId === undefined || deviceId === undefined) return [];
    const { perUser, whenFull } = this.#settings.devices;
    const older = this.#index.device(userId, deviceId);
    if (older)
      return [{ session: older, why: "replaced", reason: "a newer connection of the same device took its place" }];
    const devices = this.#index.ofUser(userId);
    if (devices.length === 0 || devices.length < perUser) return [];
    // Sessions that wait to be resumed leave first, because no client is connected to them.
    const [oldest] = devices.sort((a, b) => rank(a) - rank(b)) as [ClientSession];
    if (oldest.isConnected && whenFull === "refuse") return full(perUser);
    return [{ session: oldest, why: "evicted", reason: `a newer device took its place: a user may have ${perUser}` }];
  }

  #leave(session: ClientSession, why: SessionEnd, code: number, reason: string): void {
    const { connection } = session;
    this.#events.tell(...this.#forget(session, why));
    connection?.close(code, reason);
  }

  #expire(session: ClientSession): void {
    this.#events.tell(...this.#forget(session, "expired"));
  }

  #remember(session: ClientSession): void {
    this.#index.add(session);
    this.#count();
  }

  /** Returns the event to report, or an empty list if the session had ended already. */
  #forget(session: ClientSession, reason: SessionEnd): SessionEvent[] {
    if (session.state.name === "ended") return [];
    session.leave("ended");
    this.#away.delete(session);
    this.#index.remove(session);
    this.#count();
    return [{ type: "ended", session, reason }];
  }

  #count(): void {
    this.#stats.sessionsAway = this.#away.size;
    this.#stats.sessionsLive = this.#index.size - this.#away.size;
    this.#stats.users = this.#index.users;
  }
}

interface Leaving {
  readonly session: ClientSession;
  readonly why: SessionEnd;
  readonly reason: string;
}

/** Sorts waiting sessions before connected ones, and each group by last activity, oldest first. */
function rank(session: ClientSession): number {
  return (session.isConnected ? 1e15 : 0) + session.lastHeardAt;
}
