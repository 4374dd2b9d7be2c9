import { expect, test } from "vitest";
import type { BrokerLink } from "../../../src/broker/broker.js";
import { all, log, newId } from "../../support/broker-participant.js";
import { until } from "../../support/until.js";
import type { ContractParts } from "../broker-contract.js";

/**
 * Publishing and delivering: each publication gets the next position of its topic, and each
 * subscribed instance receives it once and in order.
 */
export function deliveryContract({ join }: ContractParts): void {
  test("[BR1] `publish` with a log appends at the next offset, and `positions` then returns the publication's id", async () => {
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

  test("[BR2] when `publish` resolves, every instance can read the publication", async () => {
    const [one, two] = [join(), join()];
    for (const body of ["a", "b", "c"]) {
      await one.link.publish("news", newId(), body, { log });
      const { events } = await two.link.read("news", { log: all, ttlMs: 1_000 });
      expect(events.at(-1)!.body).toBe(body);
    }
  });

  test("[BR3] each subscribed instance, including the publisher, receives every publication once and in order", async () => {
    const [one, two, three] = [join(), join(), join()];
    await Promise.all([one.link.subscribe("news"), two.link.subscribe("news")]);
    for (let index = 0; index < 50; index++) await one.link.publish("news", newId(), `${index}`, { log });
    await until(() => one.heard.length >= 50 && two.heard.length >= 50);
    const expected = Array.from({ length: 50 }, (_, index) => `${index}`);
    expect(one.on("news").map(({ body }) => body)).toEqual(expected);
    expect(two.on("news").map(({ body }) => body)).toEqual(expected);
    expect(three.heard).toEqual([]);
  });

  test("[BR4] a delivered publication equals the stored publication: same offset, id and id of the predecessor", async () => {
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

  test("[BR5] a publication without log and table is delivered but not stored", async () => {
    const [one, two] = [join(), join()];
    await two.link.subscribe("cursor");
    expect(await one.link.publish("cursor", newId(), "here")).toEqual({ outcome: "appended" });
    await until(() => two.heard.length === 1);
    expect(two.on("cursor")[0]!.body).toBe("here");
    expect(two.on("cursor")[0]!.link).toBeUndefined();
    expect(await one.link.positions(["cursor"])).toEqual([undefined]);
    // A publication without a position needs no id.
    await one.link.publish("cursor", "", "there");
    await until(() => two.heard.length === 2);
    expect(two.on("cursor")[1]!.body).toBe("there");
  });

  test(
    "[BR6] 20,000 concurrent publications of two instances get one order: contiguous, linked, equal for both",
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
        // The publications of each worker keep the order in which the worker published them.
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

  test("[BR20] a publication after `subscribe` has resolved is delivered", async () => {
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

  test("[BR21] a repeated `subscribe` has no effect; after `unsubscribe` nothing is delivered until the next `subscribe`", async () => {
    const [one, two] = [join(), join()];
    await Promise.all([one.link.subscribe("news"), one.link.subscribe("news"), two.link.subscribe("news")]);
    await one.link.subscribe("news");
    await two.link.publish("news", newId(), "1");
    await until(() => one.heard.length === 1 && two.heard.length === 1);
    one.link.unsubscribe("news");
    one.link.unsubscribe("never subscribed");
    // The broker handles this subscription after the two calls above.
    await one.link.subscribe("marker");
    await two.link.publish("news", newId(), "2");
    await until(() => two.heard.length === 2);
    await one.link.subscribe("news");
    await two.link.publish("news", newId(), "3");
    await until(() => one.on("news").length === 2 && two.on("news").length === 3);
    expect(one.on("news").map(({ body }) => body)).toEqual(["1", "3"]);
    expect(two.on("news").map(({ body }) => body)).toEqual(["1", "2", "3"]);
  });

  test("[BR28] if `receive` throws, the instance and all others continue to receive", async () => {
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
}
