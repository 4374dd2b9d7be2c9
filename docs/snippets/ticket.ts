import { createServer } from "@holdfast/server";
import express from "express";
import { agents } from "./protocol.js";

/** Stands in for the way your HTTP requests are authenticated today. */
const userOf = (token: string | undefined) => (token === "abc123" ? "ada" : undefined);

export const server = createServer(agents, {
  credentials: { ticket: true },
  // Called only for other credentials. A ticket comes from the server itself and names its user.
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

// The client can be anything that fetches and opens a WebSocket. A ticket opens one connection, so
// each attempt fetches a new ticket.
export async function connect(): Promise<WebSocket> {
  const headers = { Authorization: "Bearer abc123" };
  const response = await fetch("http://localhost:3000/ticket", { method: "POST", headers });
  if (!response.ok) throw new Error(`no ticket: HTTP ${response.status}`);
  return new WebSocket(`ws://localhost:3000/ws?ticket=${await response.text()}`);
}
