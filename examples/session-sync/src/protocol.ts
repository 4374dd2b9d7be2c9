import { defineProtocol, type Immutable } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The only file that both sides import. A session is a document: the server changes it, and every
 * watcher has the whole document. It contains dates and no running clock, so nothing is sent while
 * time passes. It uses zod/mini and not zod, because the page downloads it.
 */

export const NAME_LENGTH = 40;
export const MOST_PARTICIPANTS = 12;
/** One day. Nobody needs a longer session of this kind. */
export const MOST_MS = 86_400_000;

const sessionId = z
  .uuid()
  .check(z.meta({ description: "Names a session.", examples: ["7c1f4f0e-5c0b-4a59-9d6e-2f1a3b4c5d6e"] }));
const name = z.string().check(z.trim(), z.minLength(1), z.maxLength(NAME_LENGTH), z.meta({ examples: ["Ada"] }));
const timeMs = z.int().check(z.minimum(1_000), z.maximum(MOST_MS), z.meta({ examples: [300_000] }));

const syncMode = z
  .enum(["per_participant", "per_cycle", "total"])
  .check(
    z.describe(
      "What the time is for. per_participant: each has it once, for all their turns. per_cycle: each turn has it anew. total: all " +
        "share it.",
    ),
  );
export type SyncMode = z.output<typeof syncMode>;

const participant = z.object({
  id: z.uuid(),
  name,
  remainingMs: z
    .int()
    .check(z.describe("What they had left when their clock stood last; below 0 is over time. Not used in total.")),
  usedMs: z.int().check(z.nonnegative(), z.describe("All their turns that have ended.")),
  turns: z.int().check(z.nonnegative()),
});
export type Participant = Immutable<z.output<typeof participant>>;

const phase = z.discriminatedUnion("name", [
  z.object({ name: z.literal("ready") }).check(z.describe("Not started.")),
  z
    .object({ name: z.literal("running"), since: z.date() })
    .check(z.describe("The clock of whose turn it is runs since then; what is left now is for the page to say.")),
  z.object({ name: z.literal("paused") }),
]);
export type PhaseName = z.output<typeof phase>["name"];

const session = z.object({
  sessionId,
  title: name,
  syncMode,
  timeMs,
  phase,
  cycle: z.int().check(z.nonnegative(), z.describe("0 before the first; each change of turn begins another.")),
  turn: z.uuid().check(z.describe("The participant whose turn it is.")),
  participants: z.array(participant).check(z.minLength(1), z.maxLength(MOST_PARTICIPANTS)),
  sharedMs: z.optional(z.int().check(z.describe("In total: what all had left when the clock stood last."))),
  version: z.int().check(z.positive(), z.describe("1, and one more with each change.")),
  updatedAt: z.date(),
});
/** The form that the server changes. */
export type SessionDraft = z.output<typeof session>;
/** The read-only form for all other code. */
export type SessionState = Immutable<SessionDraft>;

const changed = z.object({ version: z.int().check(z.describe("That of the session after the change.")) });
const SESSION_NOT_FOUND = z.object({ sessionId });
const WRONG_PHASE = z.object({ phase: z.enum(["ready", "running", "paused"]) });
const UNKNOWN_PARTICIPANT = z.object({ participantId: z.uuid() });

export const sessionSync = defineProtocol({
  name: "session-sync",
  version: "1.0.0",
  description: "A session with participants who take turns on a clock, watched and steered by whoever has its id.",
  parameters: z.object({ sessionId }),

  requests: {
    "session.get": {
      kind: "query",
      description: "The session, for those who do not watch it; the channel session has it too, and each change.",
      output: session,
      errors: { SESSION_NOT_FOUND },
    },
    "session.about": {
      kind: "query",
      description: "Which instance this is, and what time it has: pages show time left by the server's clock.",
      output: z.object({ instance: z.string(), at: z.date() }),
    },
    "session.create": {
      kind: "mutation",
      description: "Makes the session of this connection. Its first participant has the first turn.",
      input: z.object({
        title: name,
        syncMode,
        timeMs,
        participants: z.array(name).check(z.minLength(1), z.maxLength(MOST_PARTICIPANTS)),
      }),
      output: changed,
      errors: { SESSION_EXISTS: z.object({ sessionId }) },
    },
    "session.resume": {
      kind: "mutation",
      description: "Starts the clock, for the first time or after a pause. Changes nothing while it runs.",
      output: changed,
      errors: { SESSION_NOT_FOUND },
    },
    "session.pause": {
      kind: "mutation",
      description: "Stops the clock. Changes nothing while it stands.",
      output: changed,
      errors: { SESSION_NOT_FOUND, WRONG_PHASE },
    },
    "session.switchCycle": {
      kind: "mutation",
      description: "Ends the turn and begins the next one, or that of a certain participant.",
      input: z.object({
        cycle: z
          .int()
          .check(z.describe("The cycle that is to end: of two who press at the same moment, one is too late.")),
        to: z.optional(z.uuid()),
      }),
      output: changed,
      errors: {
        SESSION_NOT_FOUND,
        WRONG_PHASE,
        UNKNOWN_PARTICIPANT,
        CYCLE_OVER: z.object({ cycle: z.int().check(z.describe("The one that runs.")) }),
      },
    },
    "participant.add": {
      kind: "mutation",
      description: "One more, who comes last.",
      input: z.object({ name }),
      output: z.object({ version: z.int(), participantId: z.uuid() }),
      errors: { SESSION_NOT_FOUND, TOO_MANY_PARTICIPANTS: z.object({ maximum: z.int() }) },
    },
    "session.delete": {
      kind: "mutation",
      description: "Ends the session for everyone: they are told SESSION_DELETED, and their connections end.",
      errors: { SESSION_NOT_FOUND },
    },
  },

  channels: {
    session: {
      description: "The session, by its id; only connections of this session can join it.",
      key: sessionId,
      document: session,
      // Watchers are only counted.
      presence: z.object({}),
    },
  },
});

/** The reason with which the channel and the connections of a deleted session close. */
export const SESSION_DELETED = "SESSION_DELETED";
