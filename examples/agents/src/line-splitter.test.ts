import { expect, test } from "vitest";
import { LineSplitter, MAX_LINE_LENGTH } from "./line-splitter.js";

function split(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  splitter.end();
  return lines;
}

test("[EX1] A line cut into several chunks arrives as one, and several lines of one chunk arrive apart.", () => {
  expect(split("al", "pha\nbe", "ta\ngamma\n\ndelta")).toEqual(["alpha", "beta", "gamma", "", "delta"]);
});

test("[EX1] A character cut in two by a chunk arrives whole.", () => {
  const bytes = Buffer.from("prime → €\n");
  for (let at = 1; at < bytes.length; at++)
    expect(split(bytes.subarray(0, at), bytes.subarray(at))).toEqual(["prime → €"]);
});

test("[EX1] A last line without an end is a line; an empty rest is none.", () => {
  expect(split("one\ntwo")).toEqual(["one", "two"]);
  expect(split("one\n")).toEqual(["one"]);
  expect(split("")).toEqual([]);
});

test("[EX1] Carriage returns and terminal colours are taken out.", () => {
  expect(split("plain\r\n\u001b[31mred\u001b[0m\n")).toEqual(["plain", "red"]);
});

test("[EX2] A line longer than the limit is cut and marked, also when it never ends.", () => {
  const long = "x".repeat(MAX_LINE_LENGTH);
  expect(split(long)).toEqual([long]);
  expect(split(`${long}y\nnext\n`)).toEqual([`${long}…`, "next"]);
  expect(split(...Array.from({ length: 100 }, () => long), "\nnext")).toEqual([`${long}…`, "next"]);
});
