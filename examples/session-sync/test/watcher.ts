import { type Client, createClient, documentOf } from "@holdfast/client";
import { onTestFinished, vi } from "vitest";
import type { NewSession } from "../src/page/model.js";
import { type SessionState, sessionSync } from "../src/protocol.js";

export const soon = { timeout: 10_000, interval: 10 };

/**
 * A client of a session that records every version of the document. The first entry is undefined,
 * because the client has no document yet.
 */
export class Watcher {
  readonly client: Client<typeof sessionSync.definition>;
  readonly channel;
  readonly seen: (SessionState | undefined)[] = [];

  constructor(port: number, sessionId: string) {
    this.client = createClient(sessionSync, {
      url: `ws://localhost:${port}/ws`,
      token: "abc123",
      parameters: { sessionId },
    });
    onTestFinished(() => this.client.disconnect());
    this.channel = this.client.channel("session", sessionId);
    this.#document.subscribe((session) => void this.seen.push(session));
  }

  get #document() {
    return documentOf(this.channel);
  }

  get session(): SessionState | undefined {
    return this.#document.get();
  }

  /** Calls `listener` on each later change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    let isFirst = true;
    const stop = this.#document.subscribe(() => isFirst || listener());
    isFirst = false;
    return stop;
  }

  /** Resolves when the document has at least this version. */
  async reach(version: number): Promise<SessionState> {
    return vi.waitFor(() => {
      if ((this.session?.version ?? 0) < version) throw new Error(`version ${this.session?.version}, not ${version}`);
      return this.session!;
    }, soon);
  }
}

/** Opens a watcher and joins the channel of the session. */
export async function watch(port: number, sessionId: string): Promise<Watcher> {
  const watcher = new Watcher(port, sessionId);
  await watcher.channel.join();
  return watcher;
}

export const design: NewSession = {
  title: "Design review",
  syncMode: "per_participant",
  timeMs: 60_000,
  participants: ["Ada", "Grace"],
};

/** Returns the code and the data of a refused request. */
export async function refusal(answer: Promise<unknown>): Promise<{ code: string; data: unknown }> {
  try {
    await answer;
  } catch (error) {
    const { code, data } = error as { code: string; data: unknown };
    return { code, data };
  }
  throw new Error("the request was not refused");
}
