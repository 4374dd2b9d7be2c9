import { randomUUID } from "node:crypto";
import { createServer } from "@holdfast/server";
import { tasksV2 } from "./tasks-v2.js";

export const server = createServer(tasksV2);

server.handle("task.add", async ({ input: { text, priority } }) => {
  const id = randomUUID();
  await server.channel("tasks").publish("added", { id, text, title: text, priority });
  return { id };
});

server.handle("task.remove", async ({ input }) => {
  await server.channel("tasks").publish("removed", input);
});
