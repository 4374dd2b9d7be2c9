import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

export const tasksV1 = defineProtocol({
  name: "tasks",
  version: "1.0.0",
  requests: { "task.add": { input: z.object({ text: z.string() }), output: z.object({ id: z.string() }) } },
  channels: { tasks: { events: { added: z.object({ id: z.string(), text: z.string() }) } } },
});
