import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

/** Every event carries a number that no other event has, whatever its channel. */
export const numbers = defineProtocol({
  name: "numbers",
  version: "1.0.0",
  channels: {
    short: { events: { number: z.int() }, history: { size: 8, ttlMs: 60_000 } },
    long: { events: { number: z.int() }, history: { size: 200, ttlMs: 300_000 } },
    room: { key: z.string(), events: { number: z.int() }, history: { size: 50, ttlMs: 300_000 } },
  },
});

/** The channels that are used, as the wire names them. */
export const wires = ["short", "long", "room:a"] as const;
export type Wire = (typeof wires)[number];
