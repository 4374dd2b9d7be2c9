import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

/** Every event carries a number that no other event has, whatever its channel. */
export const numbers = defineProtocol({
  name: "numbers",
  version: "1.0.0",
  channels: {
    short: { events: { number: z.int() }, history: { size: 8, ttlMs: 60_000 } },
    long: { events: { number: z.int() }, history: { size: 200, ttlMs: 300_000 } },
    /**
     * For real time and real stores: all of it stays, so that what was heard can be compared with
     * it.
     */
    feed: { key: z.string(), events: { number: z.int() }, history: { size: 100_000, ttlMs: 3_600_000 } },
    room: { key: z.string(), events: { number: z.int() }, history: { size: 50, ttlMs: 300_000 } },
  },
});

/** The channels that the simulation uses, as the wire names them. */
export const wires = ["short", "long", "room:a"] as const;
