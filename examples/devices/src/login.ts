import { randomBytes, randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unsign } from "cookie-signature";
import type { Request, RequestHandler } from "express";
import session from "express-session";
import { FileStore } from "./session-store.js";

export const COOKIE = "devices.sid";
const LASTS_MS = 7 * 24 * 60 * 60 * 1_000;

/** One login of a user in one browser. The tabs of the browser share the cookie and the login. */
export interface Login {
  /** The public name of the login. The id of the session is a credential and is never published. */
  readonly id: string;
  readonly userId: string;
}

declare module "express-session" {
  interface SessionData {
    login: Login;
  }
}

/** A login with the data that only the server may know. */
export interface FoundLogin extends Login {
  readonly sessionId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface LoginOptions {
  /**
   * The folder with the sessions and the secret that signs the cookies. The next server process
   * reads the same folder.
   */
  dataFolder: string;
  now?: () => number;
}

/** The logins of all users, for requests of Express and for WebSockets with the same cookie. */
export class Logins {
  /** Adds the session to each request of Express. */
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
      // No cookie is set before a login.
      saveUninitialized: false,
      // With `strict`, the browser sends the cookie with no request and no WebSocket that another
      // site starts. With `auto`, a cookie that was set over TLS is sent only over TLS.
      cookie: { httpOnly: true, sameSite: "strict", secure: "auto", maxAge: LASTS_MS },
    });
  }

  static async open({ dataFolder, now }: LoginOptions): Promise<Logins> {
    const store = await FileStore.open(join(dataFolder, "sessions.json"), { ...(now && { now }) });
    return new Logins(store, await secretOf(join(dataFolder, "secret")));
  }

  /**
   * Logs a user in under a new session id, so that a session id from before the login is worthless.
   */
  async begin(request: Request, userId: string): Promise<Login> {
    await settled((done) => request.session.regenerate(done));
    const login: Login = { id: randomUUID(), userId };
    request.session.login = login;
    await settled((done) => request.session.save(done));
    return login;
  }

  /** Finds the login by the value of the cookie, as signed by express-session. */
  find(cookie: string | undefined): FoundLogin | undefined {
    if (cookie === undefined || !cookie.startsWith("s:")) return undefined;
    const sessionId = unsign(cookie.slice(2), this.#secret);
    const found = sessionId === false ? undefined : this.#store.find(sessionId);
    if (sessionId === false || !found?.login) return undefined;
    return { ...found.login, sessionId, expiresAt: new Date(found.cookie.expires ?? 0).getTime() };
  }

  /** Ends a login. Its cookie becomes invalid in every tab. */
  end(sessionId: string): Promise<void> {
    return settled((done) => this.#store.destroy(sessionId, done));
  }
}

/**
 * Returns the secret that signs the cookies. The secret is stored, because a new secret after a
 * restart of the server would invalidate all cookies.
 */
async function secretOf(path: string): Promise<string> {
  const made = randomBytes(32).toString("base64url");
  // Written only if the file does not exist, even if two servers start at once.
  await writeFile(path, made, { mode: 0o600, flag: "wx" }).catch(() => {});
  return readFile(path, "utf8");
}

function settled(start: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error instanceof Error) reject(error);
      else if (error) reject(new Error("The session could not be stored.", { cause: error }));
      else resolve();
    });
  });
}
