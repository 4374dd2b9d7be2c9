import { expect, test } from "vitest";
import { log, newId } from "../../support/broker-participant.js";
import { until } from "../../support/until.js";
import type { ContractParts } from "../broker-contract.js";

/**
 * Joining and leaving: which instances are listed, when a link is healthy, and how calls end after
 * `close`.
 */
export function membershipContract({ join }: ContractParts): void {
  test("[BR22] `instances` lists the instance itself and the others that joined, without instances that left", async () => {
    const [one, two] = [join(), join()];
    await until(async () => (await one.link.instances()).size === 2);
    expect(await one.link.instances()).toEqual(new Set([one.id, two.id]));
    expect(await two.link.instances()).toEqual(new Set([one.id, two.id]));
    await two.link.close();
    expect(await one.link.instances()).toEqual(new Set([one.id]));
  });

  test("[BR23] `isHealthy` becomes true after joining and false after `close`", async () => {
    const { link } = join();
    await link.subscribe("news");
    await until(() => link.isHealthy);
    await link.close();
    expect(link.isHealthy).toBe(false);
  });

  test("[BR24] after `close` every call rejects with UNAVAILABLE, calls in flight settle, and nothing more is delivered", async () => {
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
}
