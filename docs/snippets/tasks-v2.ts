import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

const priority = z.enum(["low", "high"]).default("low"); // 1.0.0 does not have this field.

export const tasksV2 = defineProtocol({
  name: "tasks",
  version: "1.1.0", // The same major number: clients of 1.0.0 may connect.
  requests: {
    "task.add": { input: z.object({ text: z.string(), priority }), output: z.object({ id: z.string() }) },
    // Servers before 1.1.0 do not have this request.
    "task.remove": { input: z.object({ id: z.string() }) },
  },
  channels: {
    tasks: {
      events: {
        // `title` will replace `text`. Until version 2.0.0, every event has both.
        added: z.object({ id: z.string(), text: z.string(), title: z.string().optional(), priority }),
        removed: z.object({ id: z.string() }), // Clients of 1.0.0 ignore this event.
      },
    },
  },
});
