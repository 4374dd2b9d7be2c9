import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

/** A protocol whose events carry one number each. No number is published twice, on any channel. */
export const numbers = defineProtocol({
  name: "numbers",
  version: "1.0.0",
  channels: {
    short: { events: { number: z.int() }, history: { size: 8, ttlMs: 60_000 } },
    long: { events: { number: z.int() }, history: { size: 200, ttlMs: 300_000 } },
    /**
     * For tests with a real store: the history is large enough to keep every event, so received
     * events can be compared with the store.
     */
    feed: { key: z.string(), events: { number: z.int() }, history: { size: 100_000, ttlMs: 3_600_000 } },
    room: { key: z.string(), events: { number: z.int() }, history: { size: 50, ttlMs: 300_000 } },
  },
});

/** The wire names of the channels in the simulation. */
export const wires = ["short", "long", "room:a"] as const;
