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
import type { Introduction, SessionEnd, SessionEvent } from "./session.js";
import { SessionEvents } from "./session-events.js";

export interface SessionSettings {
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  /** The longest time between the judgement of a credential and the session it opens. */
  readonly judgementMs: number;
  readonly sessionResumeMs: number;
  readonly devices: { readonly perUser: number; readonly whenFull: "refuse" | "replace_oldest" };
  /** Whether the protocol wants devices to be named. */
  readonly deviceRequired: boolean;
  /** Makes what the application keeps in a session. */
  readonly sessionData: ((start: { identity: Identity | undefined; parameters: unknown }) => unknown) | undefined;
}

/** What comes of a connection that wants to take part. */
export type Opened =
  | {
      readonly ok: true;
      readonly session: ClientSession;
      readonly resumed: boolean;
      /**
       * To be called when the connection is open: tells the application, and closes what has to
       * leave for it.
       */
      finish(): void;
    }
  | SessionRefusal;

/**
 * Remembers the sessions: by id, and by user and device. A device has one session, and a session at
 * most one connection: whoever comes later takes the place. Everything here happens in one go, so
 * of two connections that authenticate at the same time the later one to finish wins, and there is
 * no moment at which both are in.
 */
export class Sessions {
  readonly #byId = new Map<string, ClientSession>();
  readonly #byUser = new Map<string, Map<string, ClientSession>>();
  readonly #away: ExpiryQueue<ClientSession>;
  /** Who was ended a moment ago: whoever was being authenticated meanwhile is meant as well. */
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

  /** To be asked before a credential is judged, and given to `open`. */
  get moment(): number {
    return this.#disconnects.moment;
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

  /** That of a device, connected or waiting to be resumed. */
  device(userId: string, deviceId: string): ClientSession | undefined {
    return this.#byUser.get(userId)?.get(deviceId);
  }

  on(listener: (event: SessionEvent) => unknown): () => void {
    if (typeof listener !== "function")
      throw new HoldfastError("INVALID_OPTION", "onSession: expected a function.", { field: "listener" });
    return this.#events.on(listener);
  }

  /** Resolves when no listener is at work any more. */
  idle(): Promise<void> {
    return this.#events.idle();
  }

  /** A connection has shown who it is: finds the session it continues, or begins one. */
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
    // Last, since what the application was asked for may have been the ban.
    const ending = this.#disconnects.since(judgedSince, session, introduction.sessionId);
    if (ending) return endedMeanwhile(ending.code, ending.reason);
    if (!previous) session.introduced = introduction.sessionId;
    const opened = previous ?? session;
    if (introduction.metadata) opened.metadata = introduction.metadata;
    return previous ? this.#resume(previous, connection, identity) : this.#begin(session, room);
  }

  /** A connection has left. If it is the one its session has, the session waits for the next. */
  left(connection: Connection): void {
    const session = connection.session && this.#byId.get(connection.session.id);
    if (!session || session.connection !== connection) return;
    // Without a user nothing but the id would say whose session it is, and an id must not be enough
    // to continue it.
    if (session.userId === undefined || this.#settings.sessionResumeMs === 0) return this.#expire(session);
    session.leave("away");
    this.#away.add(session);
    this.#count();
    this.#events.tell({ type: "dropped", session });
  }

  /**
   * Ends a session for good, whatever it is doing: its id continues nothing any more. Says whether
   * there was one.
   */
  end(id: string, code: number, reason: string, place?: OrderPlace): boolean {
    const session = place?.isOld ? undefined : this.#byId.get(id);
    this.#disconnects.session(id, code, reason, place);
    if (session) this.#leave(session, "disconnected", code, reason);
    return session !== undefined;
  }

  /** Ends what a user has, or what of it fits; how much there was. */
  endUser(userId: string, code: number, reason: string, where: SessionFilter | undefined, place?: OrderPlace): number {
    const sessions = place?.isOld ? [] : this.ofUser(userId).filter((session) => !where || where(session));
    this.#disconnects.user(userId, code, reason, where, place);
    for (const session of sessions) this.#leave(session, "disconnected", code, reason);
    return sessions.length;
  }

  /** An order of this instance to all, carried out when it was given, has got its place. */
  placed(place: OrderPlace): void {
    this.#disconnects.placed(place);
  }

  /** Another instance has a session that this one has to leave for. Nobody is banned by that. */
  yield(session: ClientSession, why: SessionEnd, { close, reason }: { close: CloseName; reason: string }): void {
    this.#leave(session, why, closeNumber[close], reason);
  }

  /** The server is closing: nothing waits any more. */
  clear(): void {
    this.#away.clear();
    this.#disconnects.close();
    for (const session of [...this.#byId.values()]) if (!session.isConnected) this.#expire(session);
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

  #resume(session: ClientSession, connection: Connection, identity: Identity | undefined): Opened {
    const before = session.connection;
    this.#away.delete(session);
    session.identity = identity;
    session.state = { name: "live", connection };
    this.#count();
    const finish = (): void => {
      this.#events.tell({ type: "resumed", session });
      // It has not been noticed yet that the old one is dead. It is no longer the session's, so its
      // end ends nothing.
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

  /** Whether the application could make its part of the session. */
  #makeData(session: ClientSession): boolean {
    const failed = (error: unknown): void =>
      this.#settings.logger.error({ session: session.id, err: error }, "sessionData failed");
    try {
      const { identity, parameters } = session;
      session.data = this.#settings.sessionData?.({ identity, parameters });
      if (!isThenable(session.data)) return true;
      Promise.resolve(session.data).catch(failed);
      failed(new Error("sessionData must not be asynchronous: what it needs belongs into the claims of authenticate."));
    } catch (error) {
      failed(error);
    }
    return false;
  }

  /**
   * What has to leave for a new session: the older one of its device, or the oldest of a user who
   * has too many.
   */
  #room({ userId, deviceId }: ClientSession): Leaving[] | SessionRefusal {
    if (userId === undefined || deviceId === undefined) return [];
    const { perUser, whenFull } = this.#settings.devices;
    const devices = this.#byUser.get(userId);
    const older = devices?.get(deviceId);
    if (older)
      return [{ session: older, why: "replaced", reason: "a newer connection of the same device took its place" }];
    if (!devices || devices.size < perUser) return [];
    // Those that wait to be resumed go first: nobody is there to be turned away.
    const [oldest] = [...devices.values()].sort((a, b) => rank(a) - rank(b)) as [ClientSession];
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
    this.#byId.set(session.id, session);
    const { userId, deviceId } = session;
    if (userId !== undefined && deviceId !== undefined) {
      const devices = this.#byUser.get(userId);
      if (devices) devices.set(deviceId, session);
      else this.#byUser.set(userId, new Map([[deviceId, session]]));
    }
    this.#count();
  }

  /** Returns what there is to tell of it: nothing, when it had ended before. */
  #forget(session: ClientSession, reason: SessionEnd): SessionEvent[] {
    if (session.state.name === "ended") return [];
    session.leave("ended");
    this.#away.delete(session);
    this.#byId.delete(session.id);
    const { userId, deviceId } = session;
    const devices = userId === undefined ? undefined : this.#byUser.get(userId);
    // The place of the device may be its successor's already.
    if (deviceId !== undefined && devices?.get(deviceId) === session) devices.delete(deviceId);
    if (userId !== undefined && devices?.size === 0) this.#byUser.delete(userId);
    this.#count();
    return [{ type: "ended", session, reason }];
  }

  #count(): void {
    this.#stats.sessionsAway = this.#away.size;
    this.#stats.sessionsLive = this.#byId.size - this.#away.size;
    this.#stats.users = this.#byUser.size;
  }
}

interface Leaving {
  readonly session: ClientSession;
  readonly why: SessionEnd;
  readonly reason: string;
}

/** Sessions that are away before those that are live, and those heard from longest ago first. */
function rank(session: ClientSession): number {
  return (session.isConnected ? 1e15 : 0) + session.lastHeardAt;
}
