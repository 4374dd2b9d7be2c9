import * as full from "zod";
import * as z from "zod/mini";
import { defineProtocol } from "@holdfast/protocol";

const comment = full.object({
  text: full
    .string()
    .max(280)
    .meta({ examples: ["Well done."] }),
  get replies() {
    return full.array(comment).optional();
  },
});

/**
 * A protocol with every feature: both kinds of zod, every kind of channel, values that JSON cannot
 * hold, and names with dots.
 */
export const everything = defineProtocol({
  name: "everything",
  version: "2.1.0",
  description: 'All there is <b>at once</b> & "more".',
  parameters: z.object({
    sessionId: z.uuid().check(z.describe("The session to show.")),
    page: z.optional(z.coerce.number().check(z.gte(1))),
    mode: z._default(z.enum(["quiet", "loud"]), "quiet"),
  }),
  requests: {
    "task.create": {
      kind: "mutation",
      description: "Makes a task | and says when it is due.",
      input: full
        .object({
          title: full.string().min(1).max(80).describe("What is to be done: `<title>`."),
          tags: full.set(full.string()).default(new Set<string>()),
          limits: full.map(full.string(), full.bigint()),
        })
        .meta({
          examples: [{ title: "Water the plants", tags: new Set(["home"]), limits: new Map([["minutes", 30n]]) }],
        }),
      output: z.object({ id: z.string(), due: z.date() }),
      errors: {
        FULL: z.object({ maximum: z.int() }),
        TOO_EARLY: full.object({ notBefore: full.date() }),
      },
    },
    "task.list": {
      kind: "query",
      output: full.array(full.object({ id: full.string(), done: full.boolean() })).max(50),
    },
    ping: {},
    // With the channel `a` and its event `b.c` below, the same letters in the same order.
    "a.b": { input: z.string() },
    // The message of this request and the input of `task.list.x` lead to the same name.
    "task.list.x": { input: z.string() },
    "task.list.x.input": { input: z.number() },
  },
  channels: {
    feed: {
      description: "What happens.",
      events: { commented: comment, cleared: z.void(), seen: z.union([z.string(), z.object({ at: z.date() })]) },
      history: { size: 1_000, ttlMs: 3_600_000 },
    },
    board: {
      key: z.string().check(z.regex(/^[a-f0-9]{4}$/), z.meta({ examples: ["7c1f"] })),
      document: z.object({ cycle: z.int(), owners: z.map(z.string(), z.date()) }),
      presence: z.object({ name: z.string(), since: z.date() }),
    },
    a: { events: { "b.c": z.number() } },
    "a.b": { events: { c: z.string() } },
  },
  direct: { paused: z.object({ at: z.nullable(z.number()) }) },
});
