import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

const roster = z.object({
  round: z.int(),
  participants: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      email: z.string(),
      role: z.enum(["host", "guest"]),
      score: z.int(),
      isReady: z.boolean(),
    }),
  ),
});

export const rosters = defineProtocol({
  name: "rosters",
  version: "1.0.0",
  channels: {
    room: {
      key: z.string(),
      document: roster,
      events: {
        // `scored` sends a change as a small event. `changed` is what an application without
        // documents sends: the entire document each time.
        scored: z.object({ round: z.int(), id: z.string(), score: z.int() }),
        changed: roster,
      },
      history: { size: 64, ttlMs: 300_000 },
    },
  },
});

/** About 20 KB as JSON. */
export function largeRoster() {
  const participants = Array.from({ length: 150 }, (_, index) => ({
    id: `participant-${String(index).padStart(4, "0")}`,
    name: `Participant number ${index}`,
    email: `participant.${index}@example.com`,
    role: index === 0 ? "host" : "guest",
    score: 0,
    isReady: false,
  }));
  return { round: 0, participants };
}
