import { expect, test } from "vitest";
import type { StoredDocument } from "./document.js";
import { KnownDocuments } from "./known.js";

const kept = (version: number): StoredDocument => ({ name: "there", version, content: { data: {} } });

test("[SD17] KnownDocuments keeps the most recently used documents up to 4,000,000 characters in total", () => {
  const known = new KnownDocuments();
  const million = 1_000_000;
  for (const [index, channel] of ["a", "b", "c", "d"].entries())
    known.set(channel, { id: `${index}`, kept: kept(1) }, million);
  // Setting `a` again makes it the most recent document, with its new length.
  known.set("a", { id: "again", kept: kept(2) }, million - 5);
  known.set("e", { id: "e", kept: kept(1) }, 5);
  expect(["a", "b", "c", "d", "e"].map((channel) => known.get(channel)?.id)).toEqual(["again", "1", "2", "3", "e"]);
  known.set("f", { id: "f", kept: kept(1) }, 1);
  // The least recently used document is dropped first.
  expect(["b", "c", "f", "a"].map((channel) => known.get(channel)?.id)).toEqual(["1", "2", "f", undefined]);
  known.set("b", { id: "b", kept: kept(2) }, million);
  expect(known.get("c")).toBeDefined();
  known.set("all", { id: "all", kept: kept(1) }, 4 * million);
  expect(["a", "c", "f", "all"].map((channel) => known.get(channel)?.id)).toEqual([
    undefined,
    undefined,
    undefined,
    "all",
  ]);
  known.set("more", { id: "more", kept: kept(1) }, 4 * million + 1);
  expect(known.get("all") ?? known.get("more")).toBeUndefined();
  known.set("a", { id: "after", kept: kept(1) }, 1);
  expect(known.get("a")).toMatchObject({ id: "after", kept: kept(1) });
});
