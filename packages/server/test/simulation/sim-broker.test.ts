import { expect, test } from "vitest";
import { silentLogger } from "../../src/observe/logger.js";
import { VirtualEnvironment } from "../support/virtual-environment.js";
import { SimBroker } from "../support/sim-broker.js";

test("[BR62] `restore` of the simulated store restores each topic completely, including its document", async () => {
  const { store } = new SimBroker();
  const told = { receive() {}, onDoubt() {}, onGone() {}, onForgotten() {} };
  const environment = new VirtualEnvironment();
  const link = store.join({ id: "i", protocol: "p", environment, logger: silentLogger, ...told });
  const publish = async (id: string, expected: string): Promise<string> => {
    const document = { text: `text of ${id}`, expected, ttlMs: 60_000 };
    return (await link.publish("board", id, "", { log: { size: 5, ttlMs: 60_000 }, document })).outcome;
  };
  const read = (known?: string) => link.read("board", { document: true, known, ttlMs: 60_000 });
  await publish("kept", "");
  const snapshot = store.snapshot();
  // Restored twice, because changes after the first restore must not alter the snapshot.
  for (const lost of ["lost", "lost too"]) {
    expect(await publish(lost, "kept")).toBe("appended");
    expect((await read(lost)).isKnown).toBe(true);
    store.restore(snapshot);
    expect(await read(lost)).toMatchObject({
      position: { offset: 1, id: "kept" },
      document: { id: "kept", text: "text of kept" },
    });
    expect(await publish("after", lost)).toBe("conflict");
  }
  expect(await publish("after", "kept")).toBe("appended");
  store.trim();
  expect((await read()).document).toEqual({ id: "after", text: "text of after" });
  store.empty();
  expect((await read("after")).isKnown).toBeUndefined();
  expect((await read()).document).toBeUndefined();
  await link.close();
});
