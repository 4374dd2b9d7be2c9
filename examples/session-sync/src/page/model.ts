import type { Client } from "@holdfast/client";
import type { SessionState, SyncMode, sessionSync } from "../protocol.js";
import type { ServerClock } from "./server-clock.js";

export type SessionClient = Client<typeof sessionSync.definition>;

/** The state of this page's session. */
export type Known =
  /** No answer has arrived yet. */
  | { readonly name: "loading" }
  /** There is no session with this id. */
  | { readonly name: "missing" }
  | { readonly name: "there"; readonly session: SessionState }
  | { readonly name: "deleted" }
  /** The server refuses this page, or the id in the address is invalid. */
  | { readonly name: "refused"; readonly reason: string };

/** The page's whole state. Views only read the state; app.ts changes the state and draws again. */
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

/** The actions of the user. */
export interface Actions {
  /** Resolves after the answer. If the request failed, the error has been shown by then. */
  create(session: NewSession): Promise<void>;
  resume(): void;
  pause(): void;
  /** Ends the turn that this page shows. `to` is the next participant. */
  next(to?: string): void;
  /** Resolves to true if the participant was added. Otherwise the error has been shown. */
  add(name: string): Promise<boolean>;
  remove(): void;
}

export const modes = {
  per_participant: { name: "Per participant", text: "each participant has the time once for all turns." },
  per_cycle: { name: "Per cycle", text: "each turn starts with the full time." },
  total: { name: "In total", text: "all participants share the time." },
} as const satisfies { readonly [Mode in SyncMode]: { name: string; text: string } };
