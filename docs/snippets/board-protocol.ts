import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

export const board = defineProtocol({
  name: "board",
  version: "1.0.0",
  requests: {
    "board.create": { input: z.object({ title: z.string() }), output: z.object({ id: z.uuid() }) },
    "card.add": {
      input: z.object({ board: z.uuid(), text: z.string() }),
      errors: { NO_BOARD: z.object({ board: z.uuid() }) },
    },
  },
  channels: {
    board: {
      key: z.uuid(),
      document: z.object({
        title: z.string(),
        // Every card has an id, so removing a card from the middle is one small patch.
        cards: z.array(z.object({ id: z.string(), text: z.string(), addedAt: z.iso.datetime() })),
      }),
    },
  },
});
