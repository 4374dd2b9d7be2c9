import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type {
  Appended,
  Broker,
  BrokerInstance,
  BrokerLink,
  Publication,
  AppendOptions,
} from "../../src/broker/broker.js";
import { type ServerEnvironment, nodeEnvironment } from "../../src/environment.js";
import { silentLogger } from "../../src/observe/logger.js";
import { until } from "../support/until.js";

/** What an implementation is tested with. */
export interface ContractSetUp {
  /** A broker that all instances of one test join. Called once for each test. */
  broker(): Broker;
  /** Lets so much time pass in the store, if it cannot simply be waited for. Default: waits. */
  pass?(ms: number): Promise<void>;
  /** Makes the store forget a topic, in whatever way it can come to that. */
  forget(topic: string): Promise<unknown>;
  /** Time and chance of the instances. Default: the real ones. */
  readonly environment?: ServerEnvironment;
  /** Once, after everything. */
  end?(): Promise<void>;
}

/** An instance that takes part, and what it was told. */
export interface Participant {
  readonly id: string;
  readonly link: BrokerLink;
  readonly heard: { readonly topic: string; readonly publication: Publication }[];
  readonly gone: string[];
  doubts: number;
  forgotten: number;
  /** What was heard on a topic. */
  on(topic: string): Publication[];
}

export function participate(broker: Broker, partial: Partial<BrokerInstance> = {}): Participant {
  const environment = partial.environment ?? nodeEnvironment;
  const heard: Participant["heard"] = [];
  const gone: string[] = [];
  const id = partial.id ?? environment.newId();
  const link = broker.join({
    id,
    protocol: "contract",
    environment,
    logger: silentLogger,
    receive: (topic, publication) => void heard.push({ topic, publication }),
    onDoubt: () => void participant.doubts++,
    onGone: (instances) => void gone.push(...instances),
    onForgotten: () => void participant.forgotten++,
    ...partial,
  });
  const participant: Participant = {
    id,
    link,
    heard,
    gone,
    doubts: 0,
    forgotten: 0,
    on: (topic) => heard.filter((one) => one.topic === topic).map(({ publication }) => publication),
  };
  return participant;
}

let lastId = 0;
export const newId = (): string => `id-${++lastId}`;
export const log = { size: 100, ttlMs: 60_000 };
export const set = (field: string, value: string): AppendOptions["table"] => ({
  entry: { field, value },
  ttlMs: 60_000,
});
export const remove = (field: string): AppendOptions["table"] => ({ entry: { field }, ttlMs: 60_000 });
export const docOf = (text: string, expected: string): AppendOptions["document"] => ({
  text,
  expected,
  ttlMs: 60_000,
});
export const all = { after: 0, most: 1_000_000 };

/** Every broker behaves like this. */
export function brokerContract(name: string, setUp: () => ContractSetUp | Promise<ContractSetUp>): void {
  describe(`${name}: the contract of brokers`, () => {
    let given: ContractSetUp;
    let broker: Broker | undefined;
    const joined: Participant[] = [];

    beforeAll(async () => {
      given = await setUp();
    });
    afterEach(async () => {
      broker = undefined;
      await Promise.all(joined.splice(0).map(({ link }) => link.close()));
    });
    afterAll(async () => given?.end?.());

    const join = (partial: Partial<BrokerInstance> = {}): Participant => {
      broker ??= given.broker();
      const participant = participate(broker, {
        ...(given.environment && { environment: given.environment }),
        ...partial,
      });
      joined.push(participant);
      return participant;
    };
    const pass = (ms: number): Promise<void> =>
      given.pass ? given.pass(ms) : new Promise((resolve) => setTimeout(resolve, ms));

    test("[BR1] a publication is appended: it has the next place, and its id is where the topic stands", async () => {
      const { link } = join();
      const first = await link.publish("news", newId(), "one", { log });
      const id = newId();
      const second = await link.publish("news", id, "two", { log });
      expect(first).toEqual({
        outcome: "appended",
        position: { epoch: expect.any(String), offset: 1, id: expect.any(String) },
      });
      expect(second).toEqual({ outcome: "appended", position: { epoch: first.position!.epoch, offset: 2, id } });
      expect((await link.read("news", { ttlMs: 1_000 })).position).toEqual(second.position);
      expect(await link.positions(["news", "unheard of"])).toEqual([second.position, undefined]);
    });

    test("[BR2] what is published is stored when publish resolves, and can be read by every instance", async () => {
      const [one, two] = [join(), join()];
      for (const body of ["a", "b", "c"]) {
        await one.link.publish("news", newId(), body, { log });
        const { events } = await two.link.read("news", { log: all, ttlMs: 1_000 });
        expect(events.at(-1)!.body).toBe(body);
      }
    });

    test("[BR3] whoever has subscribed hears every publication once, in order, the publisher included", async () => {
      const [one, two, three] = [join(), join(), join()];
      await Promise.all([one.link.subscribe("news"), two.link.subscribe("news")]);
      for (let index = 0; index < 50; index++) await one.link.publish("news", newId(), `${index}`, { log });
      await until(() => one.heard.length >= 50 && two.heard.length >= 50);
      const expected = Array.from({ length: 50 }, (_, index) => `${index}`);
      expect(one.on("news").map(({ body }) => body)).toEqual(expected);
      expect(two.on("news").map(({ body }) => body)).toEqual(expected);
      expect(three.heard).toEqual([]);
    });

    test("[BR4] what is heard is what is stored: the same places, ids and predecessors, each the one before it", async () => {
      const { link, on, heard } = join();
      await link.subscribe("news");
      const ids = [newId(), newId(), newId()];
      for (const id of ids) await link.publish("news", id, `body of ${id}`, { log });
      await until(() => heard.length === 3);
      const { events } = await link.read("news", { log: all, ttlMs: 1_000 });
      expect(on("news").map(({ body, link: place }) => ({ body, place }))).toEqual(
        ids.map((id, index) => ({
          body: `body of ${id}`,
          place: { offset: index + 1, id, prev: ids[index - 1] ?? "" },
        })),
      );
      expect(events.map(({ body, link: place }) => ({ body, place }))).toEqual(
        on("news").map(({ body, link: place }) => ({ body, place })),
      );
    });

    test("[BR5] a topic without log and table is announced, and nothing of it is kept", async () => {
      const [one, two] = [join(), join()];
      await two.link.subscribe("cursor");
      expect(await one.link.publish("cursor", newId(), "here")).toEqual({ outcome: "appended" });
      await until(() => two.heard.length === 1);
      expect(two.on("cursor")[0]!.body).toBe("here");
      expect(two.on("cursor")[0]!.link).toBeUndefined();
      expect(await one.link.positions(["cursor"])).toEqual([undefined]);
      // What has no place needs no name.
      await one.link.publish("cursor", "", "there");
      await until(() => two.heard.length === 2);
      expect(two.on("cursor")[1]!.body).toBe("there");
    });

    test(
      "[BR6] two instances that publish 20,000 at once have one order: contiguous, linked, the same for all",
      { timeout: 60_000 },
      async () => {
        const [one, two] = [join(), join()];
        await Promise.all([one.link.subscribe("busy"), two.link.subscribe("busy")]);
        const worker = async (link: BrokerLink, name: string): Promise<void> => {
          for (let index = 0; index < 200; index++) {
            const { outcome } = await link.publish("busy", newId(), `${name} ${index}`, { log });
            expect(outcome).toBe("appended");
          }
        };
        const names = Array.from({ length: 50 }, (_, index) => `${index}`);
        await Promise.all([one, two].flatMap(({ link, id }) => names.map((name) => worker(link, `${id}.${name}`))));
        await until(() => one.heard.length >= 20_000 && two.heard.length >= 20_000);
        let before = { offset: 0, id: "" };
        const lastOf = new Map<string, number>();
        for (const { body, link: place } of one.on("busy")) {
          expect(place).toEqual({ offset: before.offset + 1, id: place!.id, prev: before.id });
          before = place!;
          const [name, index] = body.split(" ") as [string, string];
          // Each publisher's own publications stand in the order in which it made them.
          expect(Number(index)).toBe((lastOf.get(name) ?? -1) + 1);
          lastOf.set(name, Number(index));
        }
        expect(before.offset).toBe(20_000);
        expect(new Set(one.on("busy").map(({ link: place }) => place!.id)).size).toBe(20_000);
        expect(two.on("busy")).toEqual(one.on("busy"));
        const { events } = await two.link.read("busy", { log: all, ttlMs: 1_000 });
        expect(events).toEqual(one.on("busy").slice(-100));
      },
    );

    test("[BR7] a topic has an epoch from its first reading on, the same for all who read at once", async () => {
      const [one, two] = [join(), join()];
      const readings = await Promise.all(
        [one, two, one, two].map(({ link }) => link.read("quiet", { log: all, table: true, ttlMs: 60_000 })),
      );
      const [{ position }] = readings as [(typeof readings)[number]];
      expect(position).toEqual({ epoch: expect.stringMatching(/^.{1,64}$/), offset: 0, id: "" });
      for (const reading of readings) expect(reading).toEqual({ position, events: [], entries: new Map() });
      const { position: after } = await two.link.publish("quiet", newId(), "", { log });
      expect(after!.epoch).toBe(position.epoch);
      expect((await one.link.read("another", { ttlMs: 60_000 })).position.epoch).not.toBe(position.epoch);
    });

    test("[BR8] a topic that was only read is forgotten after the time given; one that was touched since then is not", async () => {
      const { link } = join();
      await link.read("short", { ttlMs: 300 });
      await link.read("long", { ttlMs: 60_000 });
      await link.read("kept", { ttlMs: 800 });
      for (let turn = 0; turn < 4; turn++) {
        await pass(300);
        await link.positions(["kept"]);
      }
      const [short, long, kept] = await link.positions(["short", "long", "kept"]);
      expect(short).toBeUndefined();
      expect(long).toBeDefined();
      expect(kept).toBeDefined();
    });

    test("[BR9] the log has the last so many, and none of them after its time; the position stays", async () => {
      const { link } = join();
      let last: Appended | undefined;
      for (let index = 1; index <= 12; index++)
        last = await link.publish("news", newId(), `${index}`, { log: { size: 5, ttlMs: 400 } });
      const { events } = await link.read("news", { log: all, ttlMs: 1_000 });
      expect(events.map(({ body }) => body)).toEqual(["8", "9", "10", "11", "12"]);
      await pass(600);
      expect(await link.read("news", { log: all, ttlMs: 1_000 })).toMatchObject({
        position: last!.position,
        events: [],
      });
      const next = await link.publish("news", newId(), "13", { log: { size: 5, ttlMs: 400 } });
      expect(next.position).toMatchObject({ epoch: last!.position!.epoch, offset: 13 });
    });

    test("[BR10] a reading has the events after an offset, in order, the newest if not all are wanted", async () => {
      const { link } = join();
      for (let index = 1; index <= 8; index++) await link.publish("news", newId(), `${index}`, { log });
      const bodies = async (after: number, most: number): Promise<string[]> =>
        (await link.read("news", { log: { after, most }, ttlMs: 1_000 })).events.map(({ body }) => body);
      expect(await bodies(5, 100)).toEqual(["6", "7", "8"]);
      expect(await bodies(0, 2)).toEqual(["7", "8"]);
      expect(await bodies(7, 1)).toEqual(["8"]);
      expect(await bodies(8, 100)).toEqual([]);
      expect(await bodies(1_000_000, 100)).toEqual([]);
      expect(await bodies(0, 0)).toEqual([]);
      expect((await link.read("news", { ttlMs: 1_000 })).events).toEqual([]);
    });

    test("[BR11] a reading is of one moment: its events lead to its position, and its table is that of the position", async () => {
      const [one, two] = [join(), join()];
      let isDone = false;
      const publishing = (async () => {
        for (let index = 1; index <= 500; index++)
          await one.link.publish("counter", newId(), `${index}`, { log, table: set("count", `${index}`) });
        isDone = true;
      })();
      let readings = 0;
      while (!isDone) {
        const { position, events, entries } = await two.link.read("counter", {
          log: { after: 0, most: 10 },
          table: true,
          ttlMs: 1_000,
        });
        readings++;
        if (position.offset === 0) continue;
        expect(entries.get("count")).toBe(`${position.offset}`);
        expect(events.at(-1)).toMatchObject({
          body: `${position.offset}`,
          link: { offset: position.offset, id: position.id },
        });
        for (const [index, event] of events.entries())
          if (index > 0) expect(event.link!.prev).toBe(events[index - 1]!.link!.id);
      }
      await publishing;
      expect(readings).toBeGreaterThan(5);
    });

    test("[BR12] a table's fields are set, replaced and taken out, each change a publication that names it", async () => {
      const [one, two] = [join(), join()];
      await two.link.subscribe("who");
      const changes = [
        await one.link.publish("who", newId(), "", { table: set("ann", "1") }),
        await one.link.publish("who", newId(), "said", { table: set("bob", "2") }),
        await one.link.publish("who", newId(), "", { table: set("ann", "3") }),
        await one.link.publish("who", newId(), "", { table: remove("bob") }),
      ];
      expect(changes.map(({ outcome, previous }) => [outcome, previous])).toEqual([
        ["appended", undefined],
        ["appended", undefined],
        ["appended", "1"],
        ["appended", "2"],
      ]);
      expect(changes.map(({ position }) => position!.offset)).toEqual([1, 2, 3, 4]);
      await until(() => two.heard.length === 4);
      expect(two.on("who").map(({ body, entry }) => [body, entry?.field, entry?.value])).toEqual([
        ["", "ann", "1"],
        ["said", "bob", "2"],
        ["", "ann", "3"],
        ["", "bob", undefined],
      ]);
      const reading = await two.link.read("who", { log: all, table: true, ttlMs: 1_000 });
      expect(reading).toEqual({ position: changes[3]!.position, events: [], entries: new Map([["ann", "3"]]) });
    });

    test("[BR13] taking out a field that is not there changes nothing and is not announced", async () => {
      const { link, heard, on } = join();
      await link.subscribe("who");
      const { position } = await link.publish("who", newId(), "", { table: set("ann", "1") });
      expect(await link.publish("who", newId(), "bye", { table: remove("bob") })).toEqual({
        outcome: "unchanged",
        position,
      });
      await link.publish("who", newId(), "last", { table: remove("ann") });
      await until(() => heard.length === 2);
      expect(on("who").map(({ body, link: place }) => [body, place!.offset])).toEqual([
        ["", 1],
        ["last", 2],
      ]);
      expect(await link.publish("empty", newId(), "", { table: remove("ann") })).toMatchObject({
        outcome: "unchanged",
        position: { offset: 0, id: "" },
      });
    });

    test("[BR14] a topic with log and table has both: the log tells the changes that led to the table", async () => {
      const { link } = join();
      await link.publish("doc", newId(), "a", { log, table: set("state", "1") });
      await link.publish("doc", newId(), "b", { log, table: set("state", "2") });
      const { events, entries } = await link.read("doc", { log: all, table: true, ttlMs: 1_000 });
      expect(events.map(({ body, entry }) => [body, entry])).toEqual([
        ["a", { field: "state", value: "1" }],
        ["b", { field: "state", value: "2" }],
      ]);
      expect(entries).toEqual(new Map([["state", "2"]]));
    });

    test("[BR15] a table lives for its time after the topic was last touched, whether by publishing, reading or asking where it stands", async () => {
      const { link } = join();
      const table = (field: string): AppendOptions["table"] => ({ entry: { field, value: "1" }, ttlMs: 700 });
      for (const topic of ["left alone", "read", "asked"])
        await link.publish(topic, newId(), "", { table: table("a") });
      for (let turn = 0; turn < 4; turn++) {
        await pass(300);
        await link.read("read", { ttlMs: 1 });
        await link.positions(["asked"]);
      }
      const entriesOf = async (topic: string): Promise<number> =>
        (await link.read(topic, { table: true, ttlMs: 1_000 })).entries.size;
      expect(await entriesOf("read")).toBe(1);
      expect(await entriesOf("asked")).toBe(1);
      expect(await entriesOf("left alone")).toBe(0);
    });

    test("[BR16] a second publication with a key changes nothing, and is told the place of the first", async () => {
      const [one, two] = [join(), join()];
      await two.link.subscribe("news");
      const key = "k".repeat(128);
      const first = await one.link.publish("news", newId(), "once", { log, key });
      await one.link.publish("news", newId(), "between", { log });
      expect(await two.link.publish("news", newId(), "twice", { log, key })).toEqual({
        ...first,
        outcome: "duplicate",
      });
      expect((await two.link.publish("other", newId(), "elsewhere", { log, key })).outcome).toBe("appended");
      expect((await two.link.publish("news", newId(), "another", { log, key: "K" })).outcome).toBe("appended");
      await until(() => two.heard.length === 3);
      expect(two.on("news").map(({ body }) => body)).toEqual(["once", "between", "another"]);
    });

    test("[BR17] of many publications with one key at the same time exactly one is appended", async () => {
      const [one, two] = [join(), join()];
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (index % 2 ? one : two).link.publish("news", newId(), `${index}`, { log, key: "same" }),
        ),
      );
      expect(outcomes.filter(({ outcome }) => outcome === "appended")).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(39);
      expect(new Set(outcomes.map(({ position }) => position!.id)).size).toBe(1);
    });

    test("[BR18] a publication that expects the topic elsewhere is refused as a conflict, and told where it stands", async () => {
      const { link, heard } = join();
      await link.subscribe("doc");
      const start = await link.read("doc", { table: true, ttlMs: 60_000 });
      const first = await link.publish("doc", newId(), "1", { log, table: set("s", "1"), expected: start.position });
      expect(first.outcome).toBe("appended");
      const stale = await link.publish("doc", newId(), "2", { log, table: set("s", "2"), expected: start.position });
      expect(stale).toEqual({ outcome: "conflict", position: first.position });
      // The same place, another publication: a store that was rolled back has such.
      const forked = { offset: 1, id: "another" };
      expect((await link.publish("doc", newId(), "3", { log, expected: forked })).outcome).toBe("conflict");
      expect((await link.publish("doc", newId(), "4", { log, key: "k", expected: forked })).outcome).toBe("conflict");
      const last = await link.publish("doc", newId(), "5", { log, key: "k", expected: first.position! });
      expect(last.outcome).toBe("appended");
      await until(() => heard.length === 2);
      const { events, entries } = await link.read("doc", { log: all, table: true, ttlMs: 1_000 });
      expect(events.map(({ body }) => body)).toEqual(["1", "5"]);
      expect(entries.get("s")).toBe("1");
      const fresh = await link.publish("fresh", newId(), "", { log, expected: { offset: 3, id: "x" } });
      expect(fresh).toMatchObject({ outcome: "conflict", position: { offset: 0, id: "" } });
    });

    test("[BR19] of writers that expect the same position exactly one wins each time", async () => {
      const links = [join(), join()].map(({ link }) => link);
      let isOver = false;
      const write = async (link: BrokerLink): Promise<number> => {
        let won = 0;
        while (!isOver) {
          const { position } = await link.read("doc", { ttlMs: 60_000 });
          if (position.offset >= 200) isOver = true;
          else if ((await link.publish("doc", newId(), "", { log, expected: position })).outcome === "appended") won++;
        }
        return won;
      };
      const wins = await Promise.all([...links, ...links].map(write));
      const { position } = await links[0]!.read("doc", { ttlMs: 1_000 });
      expect(wins.reduce((sum, won) => sum + won)).toBe(position.offset);
    });

    test("[BR20] nothing published after subscribe has resolved is missed", async () => {
      const [one, two] = [join(), join()];
      const topics = Array.from({ length: 100 }, (_, index) => `topic ${index}`);
      await Promise.all(
        topics.map(async (topic) => {
          await one.link.subscribe(topic);
          await two.link.publish(topic, newId(), "first");
        }),
      );
      await until(() => one.heard.length >= topics.length);
      expect(one.heard.map(({ topic }) => topic).sort()).toEqual(topics.sort());
    });

    test("[BR21] subscribing again is the same subscription; after unsubscribe nothing more is heard, until it subscribes anew", async () => {
      const [one, two] = [join(), join()];
      await Promise.all([one.link.subscribe("news"), one.link.subscribe("news"), two.link.subscribe("news")]);
      await one.link.subscribe("news");
      await two.link.publish("news", newId(), "1");
      await until(() => one.heard.length === 1 && two.heard.length === 1);
      one.link.unsubscribe("news");
      one.link.unsubscribe("never subscribed");
      // Reading is after unsubscribing, wherever that goes.
      await one.link.subscribe("marker");
      await two.link.publish("news", newId(), "2");
      await until(() => two.heard.length === 2);
      await one.link.subscribe("news");
      await two.link.publish("news", newId(), "3");
      await until(() => one.on("news").length === 2 && two.on("news").length === 3);
      expect(one.on("news").map(({ body }) => body)).toEqual(["1", "3"]);
      expect(two.on("news").map(({ body }) => body)).toEqual(["1", "2", "3"]);
    });

    test("[BR22] an instance knows who takes part: itself, whoever joins, and not whoever has left", async () => {
      const [one, two] = [join(), join()];
      await until(async () => (await one.link.instances()).size === 2);
      expect(await one.link.instances()).toEqual(new Set([one.id, two.id]));
      expect(await two.link.instances()).toEqual(new Set([one.id, two.id]));
      await two.link.close();
      expect(await one.link.instances()).toEqual(new Set([one.id]));
    });

    test("[BR23] a link is healthy once it is there, and not after it is closed", async () => {
      const { link } = join();
      await link.subscribe("news");
      await until(() => link.isHealthy);
      await link.close();
      expect(link.isHealthy).toBe(false);
    });

    test("[BR24] after close everything is refused as unavailable, what is under way settles, and the instance is told nothing more", async () => {
      const [one, two] = [join(), join()];
      await one.link.subscribe("news");
      const underWay = [
        one.link.publish("news", newId(), "x", { log }),
        one.link.read("news", { ttlMs: 1_000 }),
        one.link.positions(["news"]),
        one.link.instances(),
        one.link.subscribe("other"),
      ].map((promise) =>
        promise.then(
          () => "kept",
          (error: { code: string }) => error.code,
        ),
      );
      await Promise.all([one.link.close(), one.link.close()]);
      for (const what of await Promise.all(underWay)) expect(["kept", "UNAVAILABLE"]).toContain(what);
      const heard = one.heard.length;
      await two.link.publish("news", newId(), "late");
      const refused = { code: "UNAVAILABLE", message: expect.any(String), remedy: expect.any(String) };
      await expect(one.link.publish("news", newId(), "y")).rejects.toMatchObject(refused);
      await expect(one.link.publish("news", newId(), "y", { log })).rejects.toMatchObject(refused);
      await expect(one.link.read("news", { ttlMs: 1_000 })).rejects.toMatchObject(refused);
      await expect(one.link.positions(["news"])).rejects.toMatchObject(refused);
      await expect(one.link.instances()).rejects.toMatchObject(refused);
      await expect(one.link.subscribe("news")).rejects.toMatchObject(refused);
      one.link.unsubscribe("news");
      expect(one.heard.length).toBe(heard);
    });

    const odd = [
      "constructor",
      "__proto__",
      "hasOwnProperty",
      "a b",
      "a:b",
      "{a}",
      "a}b{c",
      "}",
      "{",
      "%7b",
      "ä ∑ 😀",
      "\u0000\n",
      "x".repeat(255),
    ];

    test("[BR25] topics, fields and keys are any text, and none is taken for another", async () => {
      const [one, two] = [join(), join()];
      await Promise.all(odd.map((topic) => one.link.subscribe(topic)));
      for (const topic of odd) {
        const answer = await two.link.publish(topic, newId(), topic, {
          log,
          table: set(topic, topic),
          key: topic.slice(0, 128),
        });
        expect(answer, topic).toMatchObject({ outcome: "appended", position: { offset: 1 } });
        expect(answer.previous).toBeUndefined();
      }
      await until(() => one.heard.length === odd.length);
      for (const topic of odd) {
        expect(one.on(topic).map(({ body, entry }) => [body, entry])).toEqual([
          [topic, { field: topic, value: topic }],
        ]);
        const { events, entries } = await two.link.read(topic, { log: all, table: true, ttlMs: 1_000 });
        expect(events.map(({ body }) => body)).toEqual([topic]);
        expect([...entries]).toEqual([[topic, topic]]);
      }
      await two.link.publish("fields", newId(), "", { table: set("", "") });
      for (const field of odd) await two.link.publish("fields", newId(), "", { table: set(field, field) });
      const { entries } = await one.link.read("fields", { table: true, ttlMs: 1_000 });
      expect(entries).toEqual(new Map([["", ""], ...odd.map((field): [string, string] => [field, field])]));
    });

    test("[BR26] a body is any text, nothing and a megabyte included", async () => {
      const [one, two] = [join(), join()];
      await one.link.subscribe("bodies");
      const bodies = [
        "",
        "0",
        "null",
        "1:2:3:4:",
        "\r\n$5\r\n",
        "ä ∑ 😀 \u2028",
        JSON.stringify("\ud800 alone"),
        "\u0000",
        "m".repeat(2 ** 20),
      ];
      for (const body of bodies) await two.link.publish("bodies", newId(), body, { log });
      await until(() => one.heard.length === bodies.length);
      expect(one.on("bodies").map(({ body }) => body)).toEqual(bodies);
      const { events } = await two.link.read("bodies", { log: all, ttlMs: 1_000 });
      expect(events.map(({ body }) => body)).toEqual(bodies);
    });

    test("[BR27] positions are answered in the order asked for, for one topic, for none and for thousands", async () => {
      const { link } = join();
      const topics = Array.from({ length: 2_500 }, (_, index) => `topic-${index}`);
      for (const index of [0, 7, 100, 1_234, 2_499]) await link.publish(topics[index]!, `id of ${index}`, "", { log });
      const found = await link.positions(topics);
      expect(found).toHaveLength(topics.length);
      expect(found.flatMap((position, index) => (position ? [[index, position.id]] : []))).toEqual(
        [0, 7, 100, 1_234, 2_499].map((index) => [index, `id of ${index}`]),
      );
      expect(await link.positions([])).toEqual([]);
    });

    test("[BR28] an instance that throws on what it is told harms neither itself nor others", async () => {
      let thrown = 0;
      const one = join({
        receive() {
          thrown++;
          throw new Error("on purpose");
        },
      });
      const two = join();
      await Promise.all([one.link.subscribe("news"), two.link.subscribe("news")]);
      for (let index = 0; index < 3; index++)
        expect((await two.link.publish("news", newId(), `${index}`, { log })).outcome).toBe("appended");
      await until(() => thrown === 3 && two.heard.length === 3);
      expect((await one.link.publish("news", newId(), "own", { log })).outcome).toBe("appended");
      await until(() => thrown === 4);
    });

    const readDocument = (link: BrokerLink, topic = "board") =>
      link.read(topic, { log: all, document: true, ttlMs: 60_000 });

    test("[BR50] a document comes with a publication, is named by it, and is read where it is asked for", async () => {
      const [one, two] = [join(), join()];
      expect((await readDocument(one.link)).document).toBeUndefined();
      const [first, second] = [newId(), newId()];
      const { position } = await one.link.publish("board", first, "a", { log, document: docOf("A", "") });
      expect(await readDocument(two.link)).toMatchObject({ position, document: { id: first, text: "A" } });
      await two.link.publish("board", second, "b", { log, document: docOf("B", first) });
      expect((await readDocument(one.link)).document).toEqual({ id: second, text: "B" });
      const others = [{ ttlMs: 1_000 }, { log: all, ttlMs: 1_000 }, { table: true, document: false, ttlMs: 1_000 }];
      for (const options of others) expect((await one.link.read("board", options)).document).toBeUndefined();
    });

    test("[BR59] a document that the asker knows is not sent again; one that has come since, or none, is another", async () => {
      const { link } = join();
      const readUnlessKnown = (known: string, document = true) =>
        link.read("board", { log: all, document, known, ttlMs: 60_000 });
      for (const none of ["", "another"]) {
        expect((await readUnlessKnown(none)).isKnown).toBeUndefined();
        expect((await readUnlessKnown(none)).document).toBeUndefined();
      }
      const [first, second] = [newId(), newId()];
      const { position } = await link.publish("board", first, "a", { log, document: docOf("A", "") });
      const known = await readUnlessKnown(first);
      expect(known).toMatchObject({ position, isKnown: true, events: [{ body: "a" }] });
      expect(known.document).toBeUndefined();
      await link.publish("board", newId(), "an event", { log });
      expect(await readUnlessKnown(first)).toMatchObject({ position: { offset: 2 }, isKnown: true });
      await link.publish("board", second, "b", { log, document: docOf("B", first) });
      for (const other of [first, "", second.slice(1)])
        expect(await readUnlessKnown(other)).toMatchObject({ document: { id: second, text: "B" } });
      expect((await readUnlessKnown(second, false)).isKnown).toBeUndefined();
    });

    test("[BR51] a document is that of the position it is read with, while others replace it", async () => {
      const [one, two] = [join(), join()];
      let isDone = false;
      const publishing = (async () => {
        for (let index = 1, expected = ""; index <= 300; index++) {
          const id = newId();
          await one.link.publish("board", id, `${index}`, { log, document: docOf(`text of ${index}`, expected) });
          expected = id;
        }
      })().finally(() => (isDone = true));
      let readings = 0;
      while (!isDone) {
        const { position, events, document } = await readDocument(two.link);
        readings++;
        if (position.offset === 0) continue;
        expect(document).toEqual({ id: position.id, text: `text of ${position.offset}` });
        expect(events.at(-1)).toMatchObject({ body: `${position.offset}`, link: { id: position.id } });
      }
      await publishing;
      expect(readings).toBeGreaterThan(5);
    });

    test("[BR52] a document is neither announced nor in the log", async () => {
      const [one, two] = [join(), join()];
      await two.link.subscribe("board");
      const ids = [newId(), newId()] as const;
      await one.link.publish("board", ids[0], "a", { log, document: docOf("SECRET", "") });
      await one.link.publish("board", ids[1], "b", { log, document: docOf("SECRET TOO", ids[0]) });
      await until(() => two.heard.length === 2);
      const told = [
        { body: "a", link: { offset: 1, id: ids[0], prev: "" } },
        { body: "b", link: { offset: 2, id: ids[1], prev: ids[0] } },
      ];
      expect(two.on("board")).toEqual(told);
      expect((await readDocument(one.link)).events).toEqual(told);
    });

    test("[BR53] a document replaces the one that is expected, and no other; a conflict changes nothing and is told to nobody", async () => {
      const { link, heard, on } = join();
      await link.subscribe("board");
      const write = (text: string, expected: string, more: AppendOptions = {}) =>
        link.publish("board", newId(), text, { log, document: docOf(text, expected), ...more });
      // There is none: whoever expects one is wrong.
      expect(await write("0", "another")).toMatchObject({ outcome: "conflict", position: { offset: 0, id: "" } });
      expect((await readDocument(link)).document).toBeUndefined();
      const { position: first } = await write("1", "");
      const before = await readDocument(link);
      for (const expected of ["", "another", `${first!.id} `, first!.id.slice(1)])
        expect(await write("2", expected, { key: "k" }), expected).toEqual({ outcome: "conflict", position: first });
      expect(await readDocument(link)).toEqual(before);
      // What was refused was not published under its key; and the document is not all that can be
      // expected.
      const elsewhere = { offset: first!.offset + 1, id: first!.id };
      expect((await write("3", first!.id, { expected: elsewhere })).outcome).toBe("conflict");
      const { position: second, outcome } = await write("4", first!.id, { key: "k" });
      expect(outcome).toBe("appended");
      expect(await write("5", second!.id, { key: "k" })).toEqual({ outcome: "duplicate", position: second });
      expect((await readDocument(link)).document).toEqual({ id: second!.id, text: "4" });
      await write("6", second!.id);
      await until(() => heard.length === 3);
      expect(on("board").map(({ body, link: place }) => [body, place!.offset])).toEqual([
        ["1", 1],
        ["4", 2],
        ["6", 3],
      ]);
    });

    test("[BR54] of twenty writers at once that expect the same document exactly one has its way", async () => {
      const participants = [join(), join()] as const;
      await participants[1].link.subscribe("board");
      let expected = "";
      for (let round = 1; round <= 20; round++) {
        const answers = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const body = `${round} of ${index}`;
            const { link } = participants[index % 2]!;
            return { body, ...(await link.publish("board", newId(), body, { log, document: docOf(body, expected) })) };
          }),
        );
        const won = answers.filter(({ outcome }) => outcome === "appended");
        expect(won).toHaveLength(1);
        expect(answers.filter(({ outcome }) => outcome === "conflict")).toHaveLength(19);
        const { body, position } = won[0]!;
        expect(position!.offset).toBe(round);
        for (const answer of answers) expect([0, 1]).toContain(round - answer.position!.offset);
        const reading = await readDocument(participants[0].link);
        expect(reading).toMatchObject({ position, document: { id: position!.id, text: body } });
        expect(reading.events).toHaveLength(round);
        expected = position!.id;
      }
      await until(() => participants[1].heard.length >= 20);
      expect(participants[1].on("board").map(({ link }) => link!.offset)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    });

    test("[BR55] what is published without a document leaves the one that is there", async () => {
      const [one, two] = [join(), join()];
      const id = newId();
      await one.link.publish("board", id, "drawn", { log, document: docOf("the board", "") });
      await two.link.publish("board", newId(), "an event", { log, key: "k" });
      await two.link.publish("board", newId(), "again", { log, key: "k" });
      await one.link.publish("board", newId(), "", { log, table: set("ann", "1") });
      await one.link.publish("board", newId(), "", { log, table: remove("bob") });
      const { position, document } = await readDocument(two.link);
      expect(document).toEqual({ id, text: "the board" });
      expect(position.offset).toBe(3);
      // It is the document that is expected, wherever the topic stands by now.
      const after = await two.link.publish("board", newId(), "drawn", { log, document: docOf("more", id) });
      expect(after).toMatchObject({ outcome: "appended", position: { offset: 4 } });
    });

    test("[BR56] a new epoch has no document", async () => {
      const { link } = join();
      const id = newId();
      const { position } = await link.publish("board", id, "drawn", { log, document: docOf("the board", "") });
      await given.forget("board");
      const reading = await readDocument(link);
      expect(reading.position).toMatchObject({ offset: 0, id: "" });
      expect(reading.position.epoch).not.toBe(position!.epoch);
      expect(reading.events).toEqual([]);
      expect(reading.document).toBeUndefined();
      const late = await link.publish("board", newId(), "drawn", { log, document: docOf("late", id) });
      expect(late).toEqual({ outcome: "conflict", position: reading.position });
      const anew = await link.publish("board", newId(), "drawn", { log, document: docOf("anew", "") });
      expect(anew).toMatchObject({ outcome: "appended", position: { epoch: reading.position.epoch, offset: 1 } });
      await given.forget("board");
      const fresh = newId();
      await link.publish("board", fresh, "drawn", { log, document: docOf("fresh", "") });
      expect((await readDocument(link)).document).toEqual({ id: fresh, text: "fresh" });
    });

    test("[BR57] a document is any text, nothing and 256 KiB included", async () => {
      const [one, two] = [join(), join()];
      const texts = [
        "",
        "0",
        "null",
        "\r\n$5\r\n",
        "ä ∑ 😀 \u2028 \u0000 \uffff",
        JSON.stringify("\ud800 alone"),
        "😀".repeat(2 ** 16),
        "m".repeat(2 ** 18),
      ];
      let expected = "";
      for (const text of texts) {
        const id = newId();
        const { outcome } = await one.link.publish("board", id, "", { log, document: docOf(text, expected) });
        expect(outcome).toBe("appended");
        const { document } = await readDocument(two.link);
        expect(document?.id).toBe(id);
        expect(document?.text === text, text.slice(0, 20)).toBe(true);
        expected = id;
      }
      for (const topic of odd) {
        await one.link.publish(topic, newId(), "", { log, document: docOf(topic, "") });
        expect((await readDocument(two.link, topic)).document?.text).toBe(topic);
      }
    });
  });
}
