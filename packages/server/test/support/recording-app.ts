import type { Client } from "@holdfast/client";
import type { numbers } from "./numbers-protocol.js";

/** One thing that an application observed on a channel. The list keeps their order. */
export type Seen =
  /** The subscription is active. From here on, each event is delivered or a reset is reported. */
  | { readonly kind: "joined"; readonly at: number }
  | { readonly kind: "event"; readonly number: number; readonly at: number }
  | { readonly kind: "reset"; readonly reason: string; readonly at: number }
  /** The page was reloaded and resumes from the stored positions. */
  | { readonly kind: "loaded"; readonly at: number }
  | { readonly kind: "left"; readonly at: number };

type SimClient = Client<typeof numbers.definition>;
type Handle = Pick<ReturnType<SimClient["channel"]>, "status" | "on" | "onReset" | "leave">;

/**
 * An application with one client. It joins and leaves channels and records each event and reset.
 */
export class RecordingApp {
  readonly seen = new Map<string, Seen[]>();
  readonly #joined = new Map<string, () => void>();
  #client: SimClient;

  /** `handling` is called for each event. If the result is a promise, the next event waits. */
  constructor(
    readonly name: string,
    client: SimClient,
    readonly now: () => number,
    readonly handling: () => Promise<void> | undefined,
  ) {
    this.#client = client;
  }

  get client(): SimClient {
    return this.#client;
  }

  wants(wire: string): boolean {
    return this.#joined.has(wire);
  }

  toggle(wire: string): void {
    const leave = this.#joined.get(wire);
    if (leave) {
      leave();
      this.#joined.delete(wire);
      this.#note(wire, { kind: "left", at: this.now() });
    } else {
      this.#join(wire);
    }
  }

  /** Reloads the page: a new client starts with only the stored state of the old client. */
  reload(client: SimClient): void {
    const wanted = [...this.#joined];
    this.#joined.clear();
    // A page that is being unloaded receives nothing more.
    for (const [, leave] of wanted) void leave;
    this.#client = client;
    for (const [wire] of wanted) {
      this.#note(wire, { kind: "loaded", at: this.now() });
      this.#join(wire, true);
    }
  }

  #join(wire: string, continues = false): void {
    const channel = this.#handle(wire);
    const client = this.#client;
    const isCurrent = (): boolean => this.#client === client;
    let wasJoined = continues;
    const stop = channel.status.subscribe((status) => {
      if (status.name !== "subscribed" || wasJoined || !isCurrent()) return;
      wasJoined = true;
      this.#note(wire, { kind: "joined", at: this.now() });
    });
    channel.on("number", (number) => {
      if (!isCurrent()) return undefined;
      this.#note(wire, { kind: "event", number, at: this.now() });
      return this.handling();
    });
    channel.onReset(({ reason }) => {
      if (isCurrent()) this.#note(wire, { kind: "reset", reason, at: this.now() });
    });
    this.#joined.set(wire, () => {
      stop();
      channel.leave();
    });
  }

  #handle(wire: string): Handle {
    const [name, key] = wire.split(":") as ["short" | "long" | "room" | "feed", string | undefined];
    const keyed = name === "room" || name === "feed";
    return (keyed ? this.#client.channel(name, key!) : this.#client.channel(name)) as unknown as Handle;
  }

  #note(wire: string, seen: Seen): void {
    const all = this.seen.get(wire);
    if (all) all.push(seen);
    else this.seen.set(wire, [seen]);
  }
}
