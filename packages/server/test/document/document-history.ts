import { type ChannelDocument, documentOf } from "@holdfast/client";
import { canonicalJson } from "@holdfast/protocol/internal";
import { seededRandom } from "../support/seeded-random.js";
import { type SimInstance, SimServers } from "../support/sim-servers.js";
import type { Snapshot } from "../support/sim-broker.js";
import { BOARD, boards, empty } from "../support/document-server.js";
import { type Board, editBoard } from "../support/board-edits.js";

type Definition = typeof boards.definition;

const PEERS = 4;
const OPERATIONS = 100;

/** The result of one history. */
export interface Outcome {
  /** One sentence for each broken promise. Empty if the history holds. */
  readonly broken: string[];
  readonly changes: number;
  readonly told: number;
  readonly mismatches: number;
}

/** An application that subscribes to the document and checks every callback for consistency. */
class Watcher {
  told = 0;
  readonly faults: string[] = [];
  #leave: (() => void) | undefined;
  #last: unknown;

  constructor(
    readonly name: string,
    readonly client: ReturnType<DocumentHistory["newClient"]>,
    readonly handling: () => Promise<void> | undefined,
  ) {}

  get isWatching(): boolean {
    return this.#leave !== undefined;
  }

  get document(): unknown {
    return this.#document?.get();
  }

  #document: ChannelDocument<Board> | undefined;

  toggle(): void {
    if (this.#leave) {
      this.#leave();
      this.#leave = undefined;
      return;
    }
    const channel = this.client.channel("board", "a");
    const document = documentOf(channel);
    this.#document = document;
    this.#last = undefined;
    let isFirst = true;
    const stop = document.subscribe((now, previous) => {
      if (!isFirst) this.told++;
      else if (now !== document.get()) this.faults.push(`${this.name} did not receive the current document first`);
      if (previous !== this.#last)
        this.faults.push(`${this.name} received a previous document that differs from the last one`);
      if (!isFirst && now === previous) this.faults.push(`${this.name} received an update without a change`);
      if (now && !Object.isFrozen(now.cards)) this.faults.push(`${this.name} received a document that is not frozen`);
      this.#last = now;
      isFirst = false;
    });
    if (isFirst) this.faults.push(`${this.name} received no document when it subscribed`);
    // A slow event handler delays all later messages of the channel, including documents.
    const off = channel.on("moved", () => this.handling());
    this.#leave = () => {
      stop();
      off();
      channel.leave();
    };
  }
}

/**
 * Simulates one history of a document in virtual time: servers share a broker, clients subscribe
 * and leave, connections drop, servers restart, and the store may be rolled back or emptied. At the
 * end all faults stop, and every client must then hold the document that the store holds.
 */
export class DocumentHistory extends SimServers<Definition> {
  readonly #watchers: Watcher[] = [];
  readonly #started = new Set<SimInstance<Definition>>();
  readonly #isStoreTrue: boolean;
  #saved: Snapshot | undefined;
  #count = 0;

  constructor(seed: number) {
    super(boards, seededRandom(seed));
    this.#isStoreTrue = this.random() < 0.5;
    for (let count = 0; count < PEERS; count++) {
      const slow = this.random() < 0.3;
      this.#watchers.push(
        new Watcher(`c${count}`, this.newClient(`c${count}`), () =>
          slow && this.random() < 0.5
            ? new Promise((resolve) => void this.environment.after(this.random() * 200, resolve))
            : undefined,
        ),
      );
    }
  }

  newClient(name: string) {
    const { environment } = this;
    const { clock } = environment;
    return this.net.clientOf(boards, name, clock, { token: undefined });
  }

  async run(): Promise<Outcome> {
    for (const watcher of this.#watchers) if (this.random() < 0.8) watcher.toggle();
    this.#write((board) => board.set(empty));
    await this.advance(300);
    for (let operation = 0; operation < OPERATIONS; operation++) {
      for (const instance of this.alive()) this.#started.add(instance);
      this.#operate();
      if (this.random() < 0.5) await this.advance(this.random() * 60);
      else for (let moves = Math.floor(this.random() * 5); moves > 0; moves--) await this.move();
    }
    return this.#end();
  }

  #operate(): void {
    const roll = this.random();
    if (roll < 0.5) return this.#change();
    if (roll < 0.6) return this.#publish();
    if (roll < 0.7) return this.pick([...this.net.sockets.keys()])?.drop();
    if (roll < 0.76) return this.#toggle();
    if (roll < 0.8) return this.restart();
    const instance = this.pick(this.alive());
    if (roll < 0.84)
      return this.during(
        3_000,
        () => instance?.link.cut(),
        () => instance?.link.mend(),
      );
    if (roll < 0.87)
      return this.during(
        20_000,
        () => this.deafen(instance, true),
        () => this.deafen(instance, false),
      );
    if (roll < 0.89) return this.wait(this.random() * 20_000);
    if (roll < 0.91) return this.#write((board) => board.delete());
    if (this.#isStoreTrue) return this.#change();
    if (roll < 0.95) return void (this.#saved = this.broker.store.snapshot());
    if (roll < 0.98 && this.#saved) return this.broker.store.restore(this.#saved);
    if (roll < 0.99) return this.broker.store.trim();
    return this.broker.store.empty();
  }

  #toggle(): void {
    this.pick(this.#watchers)!.toggle();
  }

  #change(): void {
    const number = ++this.#count;
    const at = this.random();
    const what = Math.floor(this.random() * 7);
    this.#write((board) =>
      what === 0
        ? board.set({ ...empty, title: `set ${number}`, votes: { [`v${number % 5}`]: number } })
        : board.update((draft) => editBoard(draft, what, number, at)).catch(() => board.set(empty)),
    );
  }

  #write(write: (board: ReturnType<DocumentHistory["board"]>) => Promise<unknown>): void {
    const instance = this.pick(this.alive());
    // An error does not tell whether the store has the change. The check reads the store instead.
    if (instance) write(this.board(instance)).catch(() => undefined);
  }

  board({ server }: SimInstance<Definition>) {
    return server.channel("board", "a").document;
  }

  #publish(): void {
    const instance = this.pick(this.alive());
    instance?.server
      .channel("board", "a")
      .publish("moved", `${++this.#count}`)
      .catch(() => undefined);
  }

  /** Ends all faults, waits for all clients, and compares the clients' documents with the store. */
  async #end(): Promise<Outcome> {
    this.broker.weather = { ...this.broker.weather, lost: 0, twice: 0, overtaken: 0 };
    await this.advance(40_000);
    for (const instance of this.alive()) this.deafen(instance, false);
    await this.advance(60_000);
    this.#write((board) => board.set({ ...empty, title: "last" }));
    await this.advance(5_000);
    // A client that was told of the deletion has to subscribe again.
    for (const watcher of this.#watchers) {
      if (watcher.isWatching && watcher.document === undefined) watcher.toggle();
      if (!watcher.isWatching) watcher.toggle();
    }
    await this.advance(5_000);
    this.#change();
    await this.advance(5_000);

    for (const instance of this.alive()) this.#started.add(instance);
    const { document } = this.broker.store.topics.get(BOARD)!;
    const { state: truth } = JSON.parse(document!.text) as { state: unknown };
    const broken = this.#watchers.flatMap(({ name, document: held, faults }) =>
      canonicalJson(held) === canonicalJson(truth)
        ? faults
        : [...faults, `${name} holds ${canonicalJson(held)}, expected ${canonicalJson(truth)}`],
    );
    const stats = [...this.#started].map(({ server }) => server.stats().documents);
    return {
      broken,
      changes: stats.reduce((sum, { changes }) => sum + changes, 0),
      told: this.#watchers.reduce((sum, { told }) => sum + told, 0),
      mismatches: stats.reduce((sum, { mismatches }) => sum + mismatches, 0),
    };
  }
}
