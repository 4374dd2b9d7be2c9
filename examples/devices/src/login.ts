import { randomBytes, randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unsign } from "cookie-signature";
import type { Request, RequestHandler } from "express";
import session from "express-session";
import { FileStore } from "./session-store.js";

export const COOKIE = "devices.sid";
const LASTS_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * One login of a user in one browser. All tabs of the browser share its cookie, and so the login.
 */
export interface Login {
  /** Names the login towards others. The id of the session is a credential and is never told. */
  readonly id: string;
  readonly userId: string;
}

declare module "express-session" {
  interface SessionData {
    login: Login;
  }
}

/** A login with what only the server may know of it. */
export interface FoundLogin extends Login {
  readonly sessionId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface LoginOptions {
  /** Where sessions and the secret that signs their cookies are kept, for the next server too. */
  dataFolder: string;
  now?: () => number;
}

/**
 * Who is logged in: for the requests of Express, and for a WebSocket that brings the same cookie.
 */
export class Logins {
  /** Gives each request of Express its session. */
  readonly middleware: RequestHandler;
  readonly #store: FileStore;
  readonly #secret: string;

  private constructor(store: FileStore, secret: string) {
    this.#store = store;
    this.#secret = secret;
    this.middleware = session({
      name: COOKIE,
      secret,
      store,
      resave: false,
      // Nobody gets a cookie before a login.
      saveUninitialized: false,
      // Strict: no other site's page has it sent along, with a request or with a WebSocket. Auto:
      // only over TLS where there is.
      cookie: { httpOnly: true, sameSite: "strict", secure: "auto", maxAge: LASTS_MS },
    });
  }

  static async open({ dataFolder, now }: LoginOptions): Promise<Logins> {
    const store = await FileStore.open(join(dataFolder, "sessions.json"), { ...(now && { now }) });
    return new Logins(store, await secretOf(join(dataFolder, "secret")));
  }

  /**
   * Logs a user in, under a new session id: one that was known before the login must not be worth
   * anything after it.
   */
  async begin(request: Request, userId: string): Promise<Login> {
    await settled((done) => request.session.regenerate(done));
    const login: Login = { id: randomUUID(), userId };
    request.session.login = login;
    await settled((done) => request.session.save(done));
    return login;
  }

  /** The login behind the value of the cookie, as express-session signed it. */
  find(cookie: string | undefined): FoundLogin | undefined {
    if (cookie === undefined || !cookie.startsWith("s:")) return undefined;
    const sessionId = unsign(cookie.slice(2), this.#secret);
    const found = sessionId === false ? undefined : this.#store.find(sessionId);
    if (sessionId === false || !found?.login) return undefined;
    return { ...found.login, sessionId, expiresAt: new Date(found.cookie.expires ?? 0).getTime() };
  }

  /** Ends a login: its cookie is worth nothing any more, in whatever tab and whoever has it. */
  end(sessionId: string): Promise<void> {
    return settled((done) => this.#store.destroy(sessionId, done));
  }
}

/**
 * The secret outlives the server as the sessions do; without it their cookies would not be known
 * again.
 */
async function secretOf(path: string): Promise<string> {
  const made = randomBytes(32).toString("base64url");
  // Written only where there is none, also when two servers start at once.
  await writeFile(path, made, { mode: 0o600, flag: "wx" }).catch(() => {});
  return readFile(path, "utf8");
}

function settled(start: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error instanceof Error) reject(error);
      else if (error) reject(new Error("The session could not be kept.", { cause: error }));
      else resolve();
    });
  });
}
