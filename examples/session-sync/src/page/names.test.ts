import { expect, test } from "vitest";
import { sessionSync } from "../protocol.js";
import { nameFault, namesFault, namesIn } from "./names.js";

const { requests } = sessionSync.definition;
const settings = { syncMode: "total", timeMs: 60_000 };

const [full, long] = ["x".repeat(40), "x".repeat(41)];
const [fullOwl, longOwl] = [`${"x".repeat(39)}🦉`, `${"x".repeat(39)}🦉🦉`];

test.each([
  ["Ada\n\n  Grace  \n", undefined],
  [" \n ", "Enter at least one name."],
  [Array.from({ length: 13 }, (_, index) => `P${index}`).join("\n"), "At most 12."],
  [`Ada\n ${full} `, undefined],
  [`Ada\n${long}`, `Too long by 1: ${long}`],
  [fullOwl, undefined],
  [longOwl, `Too long by 1: ${longOwl}`],
])("[SX23] namesFault: the names %j have a fault exactly if the protocol refuses them", (typed, fault) => {
  expect(namesFault(typed)).toBe(fault);
  const participants = namesIn(typed);
  const input = { ...settings, title: "Design review", participants };
  expect(requests["session.create"].input.safeParse(input).success).toBe(fault === undefined);
});

test.each([
  ["Ada", undefined],
  ["  ", "Enter a name."],
  [` ${full} `, undefined],
  [`${long}x`, "Too long by 2: at most 40 characters."],
  [fullOwl, undefined],
  [longOwl, "Too long by 1: at most 40 characters."],
])("[SX23] nameFault: the name %j has a fault exactly if the protocol refuses it", (typed, fault) => {
  expect(nameFault(typed, "Enter a name.")).toBe(fault);
  expect(requests["participant.add"].input.safeParse({ name: typed }).success).toBe(fault === undefined);
});
