import { defineProtocol, type Immutable } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The only file that both sides import. A session is a document: the server changes the document,
 * and every watcher receives each change. The document contains dates and no running clock, so
 * nothing is sent while time passes. The file uses zod/mini and not zod, because pages download the
 * file.
 */

export const NAME_LENGTH = 40;
export const MOST_PARTICIPANTS = 12;
/** One day in milliseconds, which is more than any session of this kind needs. */
export const MOST_MS = 86_400_000;

const sessionId = z
  .uuid()
  .check(z.meta({ description: "The id of a session.", examples: ["7c1f4f0e-5c0b-4a59-9d6e-2f1a3b4c5d6e"] }));
const name = z.string().check(z.trim(), z.minLength(1), z.maxLength(NAME_LENGTH), z.meta({ examples: ["Ada"] }));
const timeMs = z.int().check(z.minimum(1_000), z.maximum(MOST_MS), z.meta({ examples: [300_000] }));

const syncMode = z
  .enum(["per_participant", "per_cycle", "total"])
  .check(
    z.describe(
      "How the time is used. per_participant: each participant has the time once for all turns. per_cycle: each turn starts with " +
        "the full time. total: all participants share the time.",
    ),
  );
export type SyncMode = z.output<typeof syncMode>;

const participant = z.object({
  id: z.uuid(),
  name,
  remainingMs: z
    .int()
    .check(
      z.describe(
        "The remaining time at the last stop of the clock; negative values are overtime. Not used if syncMode is total.",
      ),
    ),
  usedMs: z
    .int()
    .check(z.nonnegative(), z.describe("The time that the participant has used until the last stop of the clock.")),
  turns: z.int().check(z.nonnegative()),
});
export type Participant = Immutable<z.output<typeof participant>>;

const phase = z.discriminatedUnion("name", [
  z.object({ name: z.literal("ready") }).check(z.describe("The clock has never been started.")),
  z
    .object({ name: z.literal("running"), since: z.date() })
    .check(z.describe("The time at which the clock was last started. The page computes the remaining time.")),
  z.object({ name: z.literal("paused") }),
]);
export type PhaseName = z.output<typeof phase>["name"];

const session = z.object({
  sessionId,
  title: name,
  syncMode,
  timeMs,
  phase,
  cycle: z
    .int()
    .check(z.nonnegative(), z.describe("0 before the first turn. Each change of turn starts the next cycle.")),
  turn: z.uuid().check(z.describe("The participant whose turn it is.")),
  participants: z.array(participant).check(z.minLength(1), z.maxLength(MOST_PARTICIPANTS)),
  sharedMs: z.optional(
    z
      .int()
      .check(
        z.describe("Only if syncMode is total: the remaining time of all participants at the last stop of the clock."),
      ),
  ),
  version: z.int().check(z.positive(), z.describe("Starts at 1 and increases with each change.")),
  updatedAt: z.date(),
});
/** The form that the server changes. */
export type SessionDraft = z.output<typeof session>;
/** The read-only form for all other code. */
export type SessionState = Immutable<SessionDraft>;

const changed = z.object({ version: z.int().check(z.describe("The version of the session after the change.")) });
const SESSION_NOT_FOUND = z.object({ sessionId });
const WRONG_PHASE = z.object({ phase: z.enum(["ready", "running", "paused"]) });
const UNKNOWN_PARTICIPANT = z.object({ participantId: z.uuid() });

export const sessionSync = defineProtocol({
  name: "session-sync",
  version: "1.0.0",
  description:
    "A session with participants who take turns on a clock. Every client that knows the session's id can watch and control the session.",
  parameters: z.object({ sessionId }),

  requests: {
    "session.get": {
      kind: "query",
      description:
        "The session, for clients that do not watch the session. The channel session carries the session and each change.",
      output: session,
      errors: { SESSION_NOT_FOUND },
    },
    "session.about": {
      kind: "query",
      description: "The instance and its time, because pages show the remaining time by the server's clock.",
      output: z.object({ instance: z.string(), at: z.date() }),
    },
    "session.create": {
      kind: "mutation",
      description: "Creates the session of this connection. Its first participant has the first turn.",
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
      description: "Starts the clock, for the first time or after a pause. Changes nothing while the clock runs.",
      output: changed,
      errors: { SESSION_NOT_FOUND },
    },
    "session.pause": {
      kind: "mutation",
      description: "Stops the clock. Changes nothing while the session is paused.",
      output: changed,
      errors: { SESSION_NOT_FOUND, WRONG_PHASE },
    },
    "session.switchCycle": {
      kind: "mutation",
      description: "Ends the turn and starts the turn of the next participant, or of the named participant.",
      input: z.object({
        cycle: z
          .int()
          .check(
            z.describe(
              "The cycle to end. If two users end the same cycle, the later request is refused with CYCLE_OVER.",
            ),
          ),
        to: z.optional(z.uuid()),
      }),
      output: changed,
      errors: {
        SESSION_NOT_FOUND,
        WRONG_PHASE,
        UNKNOWN_PARTICIPANT,
        CYCLE_OVER: z.object({ cycle: z.int().check(z.describe("The running cycle.")) }),
      },
    },
    "participant.add": {
      kind: "mutation",
      description: "Adds a participant at the end of the list.",
      input: z.object({ name }),
      output: z.object({ version: z.int(), participantId: z.uuid() }),
      errors: { SESSION_NOT_FOUND, TOO_MANY_PARTICIPANTS: z.object({ maximum: z.int() }) },
    },
    "session.delete": {
      kind: "mutation",
      description:
        "Ends the session for all watchers. Each watcher receives SESSION_DELETED, and its connection closes.",
      errors: { SESSION_NOT_FOUND },
    },
  },

  channels: {
    session: {
      description: "The session, by its id. Only connections of this session can join.",
      key: sessionId,
      document: session,
      // The presence data is empty, because pages only count the watchers.
      presence: z.object({}),
    },
  },
});

/** The reason with which the channel and the connections of a deleted session close. */
export const SESSION_DELETED = "SESSION_DELETED";
