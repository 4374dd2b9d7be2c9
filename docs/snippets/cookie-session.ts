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
  // An id that was known before the login must be worth nothing after it.
  request.session.regenerate((error) => {
    if (error) return next(error);
    request.session.userId = "ada";
    response.sendStatus(204);
  });
});
app.post("/logout", ({ session, sessionID }, response) => {
  const { userId = "nobody" } = session;
  // First the login, then its sockets: a client that comes back at once has to find it gone.
  session.destroy(async (error) => {
    await server.user(userId).disconnect({ reason: "logged out", where: { claims: { login: sessionID } } });
    response.sendStatus(error ? 500 : 204);
  });
});

export const server = createServer(agents, {
  // The cookie, and nothing else. Of this server's own pages; those of other origins have to be
  // listed in `origins`.
  credentials: { cookie: "sid", message: false },
  authenticate: async ({ headers }) => {
    // The same middleware as for pages: it knows how its cookie is signed, and where the session
    // is.
    const request = { headers, url: "/", originalUrl: "/" } as Request;
    await new Promise((done) => logins(request, {} as Response, done));
    if (!request.session?.userId) throw new Error("not logged in");
    return { userId: request.session.userId, claims: { login: request.sessionID } };
  },
});
export const http = app.listen(3000);
server.attach(http);
