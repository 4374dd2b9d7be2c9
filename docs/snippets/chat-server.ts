import { randomUUID } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "@holdfast/server";
import { chat, type Message } from "./chat-protocol.js";

/** Stands in for a database table. */
const messages: Message[] = [];

export const server = createServer(chat);

server.handle("message.list", () => messages);

server.handle("message.send", async ({ input }) => {
  const message = { id: randomUUID(), text: input.text, sentAt: new Date() };
  messages.push(message);
  await server.channel("messages").publish("added", message);
});

// Stands in for the http server that you have, for example `express().listen(3000)`.
export const http = createHttpServer((_request, response) => response.writeHead(404).end()).listen(3000);
server.attach(http); // Takes the WebSockets of /ws. Your server answers other requests.
