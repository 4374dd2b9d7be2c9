import type { ChannelId } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { pass, VirtualEnvironment } from "../../test/world.js";
import { UnsureDocuments } from "./unsure.js";

const idOf = (wire: string) => ({ wire }) as ChannelId;

test("[SH10] one that cannot be saved keeps none of the others waiting, and is tried again", async () => {
  const environment = new VirtualEnvironment();
  const tried: string[] = [];
  const failing = new Set(["a", "c"]);
  const unsure = new UnsureDocuments(environment, async ({ wire }) => {
    tried.push(wire);
    if (failing.has(wire)) throw new Error("down");
  });
  for (const wire of ["a", "b", "c"]) unsure.add(idOf(wire));
  await pass(environment, 10_000);
  expect(tried).toEqual(["a", "b", "c"]);
  failing.delete("a");
  tried.length = 0;
  await pass(environment, 10_000);
  expect(tried).toEqual(["a", "c"]);
  expect(unsure.close()).toBe(1);
  expect(environment.timers).toBe(0);
});

test("[SH10] one that is lost again while it is saved is saved again; then there is no timer", async () => {
  const environment = new VirtualEnvironment();
  let saves = 0;
  const unsure = new UnsureDocuments(environment, async (id) => {
    if (++saves === 1) unsure.add(id);
  });
  unsure.add(idOf("a"));
  await pass(environment, 30_000);
  expect(saves).toBe(2);
  expect(environment.timers).toBe(0);
  expect(unsure.close()).toBe(0);
  unsure.add(idOf("a"));
  expect(environment.timers).toBe(0);
});

test("[SH10] of more than 10,000 the oldest are forgotten: channels may be a peer's to name", async () => {
  const environment = new VirtualEnvironment();
  const tried: string[] = [];
  const unsure = new UnsureDocuments(environment, async ({ wire }) => void tried.push(wire));
  for (let count = 0; count <= 10_000; count++) unsure.add(idOf(`${count}`));
  await unsure.saveAll();
  expect(tried).toHaveLength(10_000);
  expect(tried[0]).toBe("1");
});
