import type { Client } from "@holdfast/client";
import type { SessionState, SyncMode, sessionSync } from "../protocol.js";
import type { ServerClock } from "./server-clock.js";

export type SessionClient = Client<typeof sessionSync.definition>;

/** What is known of the session of this page. */
export type Known =
  /** Nothing has been heard of it yet. */
  | { readonly name: "loading" }
  /** There is none by this id. */
  | { readonly name: "missing" }
  | { readonly name: "there"; readonly session: SessionState }
  | { readonly name: "deleted" }
  /** The server does not let this page watch it, and says why. */
  | { readonly name: "refused"; readonly reason: string };

/** All the page shows. Views read it; app.ts changes it and draws again. */
export interface Model {
  readonly sessionId: string;
  readonly clock: ServerClock;
  known: Known;
  live: boolean;
  /** The instance that this page is connected to. */
  instance?: string;
  watchers: number;
}

export interface NewSession {
  readonly title: string;
  readonly syncMode: SyncMode;
  readonly timeMs: number;
  readonly participants: string[];
}

/** What people do. */
export interface Actions {
  /** Settles when it is answered; what went wrong has been said. */
  create(session: NewSession): Promise<void>;
  resume(): void;
  pause(): void;
  /** Ends the turn that this page shows; `to` is whose turn is next. */
  next(to?: string): void;
  /** Whether there is one more then; why not has been said. */
  add(name: string): Promise<boolean>;
  remove(): void;
}

export const modes = {
  per_participant: { name: "Per participant", text: "each has the time once, for all their turns." },
  per_cycle: { name: "Per cycle", text: "each turn has the time anew." },
  total: { name: "In total", text: "all share the time." },
} as const satisfies { readonly [Mode in SyncMode]: { name: string; text: string } };
