import { createServer, type Server as HttpServer } from "node:http";
import express, { type ErrorRequestHandler, type Express } from "express";
import * as z from "zod/mini";
import { COOKIE, type Login, type Logins } from "./login.js";
import { checkPassword, findUser } from "./users.js";

const headers = new Map([
  // Even if a device name contains HTML, the page runs only its own script.
  [
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; " +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  // After a restart with newer code, browsers must load the newer page.
  ["Cache-Control", "no-cache"],
]);

const credentials = z.object({
  user: z.string().check(z.minLength(1), z.maxLength(64)),
  password: z.string().check(z.minLength(1), z.maxLength(256)),
});

export interface HttpOptions {
  /** The folder with the built page. */
  pageFolder: string;
  logins: Logins;
  /** Called when a login has ended. The caller must close the connections of the login. */
  ended: (login: Login) => Promise<void>;
}

/** Serves the page and the login: `/session`, `/login`, `/logout`. */
export function createHttp(options: HttpOptions): HttpServer {
  return createServer(createApp(options));
}

function createApp({ pageFolder, logins, ended }: HttpOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use((_request, response, next) => {
    response.setHeaders(headers);
    next();
  });
  app.get("/healthz", (_request, response) => void response.json({ status: "ok" }));
  app.use(express.static(pageFolder));

  app.use(logins.middleware);
  // 200 in either case, because browsers log every 401 as an error, and a page without a login is
  // not an error.
  app.get("/session", (request, response) => {
    const { login } = request.session;
    response.json({ user: (login && findUser(login.userId)) ?? null });
  });

  // Accepts only JSON, which a form of another site cannot send. Otherwise such a form could log
  // the visitor in as another user.
  app.post("/login", express.json({ limit: "1kb" }), async (request, response) => {
    const given = credentials.safeParse(request.body);
    if (!given.success) {
      response.status(400).json({ error: "Expected JSON with a user and a password." });
      return;
    }
    const user = await checkPassword(given.data.user, given.data.password);
    if (user === "busy") {
      response.status(503).set("Retry-After", "1").json({ error: "Too many logins at once. Try again in a second." });
    } else if (!user) {
      response.status(401).json({ error: "Wrong user name or password." });
    } else {
      const before = request.session.login;
      await logins.begin(request, user.id);
      if (before) await ended(before);
      response.json({ user });
    }
  });

  app.post("/logout", async (request, response) => {
    const { login } = request.session;
    // End the login before its connections, because a disconnected client may reconnect at once.
    await logins.end(request.sessionID);
    if (login) await ended(login);
    response.clearCookie(COOKIE, { httpOnly: true, sameSite: "strict" }).status(204).end();
  });

  app.use((_request, response) => void response.status(404).type("text").send("Not found.\n"));
  app.use(answerError);
  return app;
}

/**
 * If the request is at fault, for example a body that is not JSON or is too large, the answer keeps
 * the status of the error. Any other error is logged and answered with 500. The client never sees
 * the text of an error.
 */
const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  // If the response has already begun, Express ends it.
  if (response.headersSent) return next(error);
  const status = typeof error === "object" && error !== null && "status" in error ? Number(error.status) : 500;
  if (status >= 400 && status < 500)
    response.status(status).json({ error: "The server does not accept this request." });
  else {
    console.error(error);
    response.status(500).json({ error: "The server could not handle the request." });
  }
};
