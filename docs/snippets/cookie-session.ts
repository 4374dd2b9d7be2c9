import { createServer } from "@holdfast/server";
import express, { type Request, type Response } from "express";
import session from "express-session";
import { agents } from "./protocol.js";

declare module "express-session" {
  interface SessionData {
    userId: string;
  }
}
const secret = process.env["SESSION_SECRET"] ?? "only for trying it out";
// In production, use a store that outlives the process, such as connect-redis or connect-pg-simple.
const store = new session.MemoryStore();
const cookie = { sameSite: "strict", secure: "auto" } as const;
const logins = session({ name: "sid", secret, store, cookie, resave: false, saveUninitialized: false });

const app = express().use(logins, express.json());
app.post("/login", (request, response, next) => {
  if (request.body?.password !== "correct horse") return void response.sendStatus(401);
  // A new id after the login, so that a session id from before the login is worthless.
  request.session.regenerate((error) => {
    if (error) return next(error);
    request.session.userId = "ada";
    response.sendStatus(204);
  });
});
app.post("/logout", ({ session, sessionID }, response) => {
  const { userId = "nobody" } = session;
  // Destroy the login before closing its sockets, because a client may reconnect at once.
  session.destroy(async (error) => {
    await server.user(userId).disconnect({ reason: "logged out", where: { claims: { login: sessionID } } });
    response.sendStatus(error ? 500 : 204);
  });
});

export const server = createServer(agents, {
  // Only the cookie authenticates, and only on this server's own pages. List the pages of other
  // origins in `origins`.
  credentials: { cookie: "sid", message: false },
  authenticate: async ({ headers }) => {
    // The same middleware as for pages, which knows how the cookie is signed and where the session
    // is stored.
    const request = { headers, url: "/", originalUrl: "/" } as Request;
    await new Promise((done) => logins(request, {} as Response, done));
    if (!request.session?.userId) throw new Error("not logged in");
    return { userId: request.session.userId, claims: { login: request.sessionID } };
  },
});
export const http = app.listen(3000);
server.attach(http);
