import { createServer } from "@holdfast/server";
import express from "express";
import { agents } from "./protocol.js";

/** However your requests are authenticated already. */
const userOf = (token: string | undefined) => (token === "abc123" ? "ada" : undefined);

export const server = createServer(agents, {
  credentials: { ticket: true },
  // Asked about every other credential. A ticket is the server's own, and already says who it was
  // issued to.
  authenticate: ({ token }) => {
    const userId = userOf(token);
    if (userId === undefined) throw new Error("unknown token");
    return { userId };
  },
});

const app = express();
app.post("/ticket", async (request, response) => {
  const userId = userOf(request.get("authorization")?.replace("Bearer ", ""));
  if (userId === undefined) return void response.sendStatus(401);
  response.set("Cache-Control", "no-store").send(await server.issueTicket({ userId }));
});
export const http = app.listen(3000);
server.attach(http);

// The client: whatever can fetch and open a WebSocket. A ticket opens one connection, so each
// attempt takes a new one.
export async function connect(): Promise<WebSocket> {
  const headers = { Authorization: "Bearer abc123" };
  const response = await fetch("http://localhost:3000/ticket", { method: "POST", headers });
  if (!response.ok) throw new Error(`no ticket: HTTP ${response.status}`);
  return new WebSocket(`ws://localhost:3000/ws?ticket=${await response.text()}`);
}
