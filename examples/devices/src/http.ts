import { createServer, type Server as HttpServer } from "node:http";
import express, { type ErrorRequestHandler, type Express } from "express";
import * as z from "zod/mini";
import { COOKIE, type Login, type Logins } from "./login.js";
import { checkPassword, findUser } from "./users.js";

const headers = new Map([
  // Whatever people call their devices, the page runs its own script and nothing else.
  [
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; " +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  // The page of a server that was restarted with newer code is the newer page.
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
  /** Called when a login has ended: whoever is connected by it has to go. */
  ended: (login: Login) => Promise<void>;
}

/** Serves the page, and who is logged in: `/session`, `/login`, `/logout`. */
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
  // 200 either way: a browser reports every 401 on its console, and that nobody is logged in yet is
  // no error.
  app.get("/session", (request, response) => {
    const { login } = request.session;
    response.json({ user: (login && findUser(login.userId)) ?? null });
  });

  // Only JSON, which no other site's form can send: nobody is logged in as somebody else behind
  // their back.
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
      response.status(401).json({ error: "No such user, or not this password." });
    } else {
      const before = request.session.login;
      await logins.begin(request, user.id);
      if (before) await ended(before);
      response.json({ user });
    }
  });

  app.post("/logout", async (request, response) => {
    const { login } = request.session;
    // The login first: whoever is disconnected and comes back at once must find it gone.
    await logins.end(request.sessionID);
    if (login) await ended(login);
    response.clearCookie(COOKIE, { httpOnly: true, sameSite: "strict" }).status(204).end();
  });

  app.use((_request, response) => void response.status(404).type("text").send("There is nothing here.\n"));
  app.use(answerError);
  return app;
}

/**
 * A body that is no JSON, or too large, is the sender's fault; of everything else only that it
 * happened is told.
 */
const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  // Express knows how to end an answer that has begun.
  if (response.headersSent) return next(error);
  const status = typeof error === "object" && error !== null && "status" in error ? Number(error.status) : 500;
  if (status >= 400 && status < 500) response.status(status).json({ error: "That is not a request of this server." });
  else {
    console.error(error);
    response.status(500).json({ error: "The server failed." });
  }
};
