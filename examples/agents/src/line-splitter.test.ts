import { expect, test } from "vitest";
import { LineSplitter, MAX_LINE_LENGTH } from "./line-splitter.js";

function split(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  splitter.end();
  return lines;
}

test("[EX1] a line split over several chunks is joined, and several lines of one chunk are separated", () => {
  expect(split("al", "pha\nbe", "ta\ngamma\n\ndelta")).toEqual(["alpha", "beta", "gamma", "", "delta"]);
});

test("[EX1] a character whose bytes are split over two chunks is decoded correctly", () => {
  const bytes = Buffer.from("prime → €\n");
  for (let at = 1; at < bytes.length; at++)
    expect(split(bytes.subarray(0, at), bytes.subarray(at))).toEqual(["prime → €"]);
});

test("[EX1] end emits a last line without a line break, but no empty line", () => {
  expect(split("one\ntwo")).toEqual(["one", "two"]);
  expect(split("one\n")).toEqual(["one"]);
  expect(split("")).toEqual([]);
});

test("[EX1] carriage returns and terminal colours are removed", () => {
  expect(split("plain\r\n\u001b[31mred\u001b[0m\n")).toEqual(["plain", "red"]);
});

test("[EX2] a line longer than MAX_LINE_LENGTH is truncated and marked with …, even if it never ends", () => {
  const long = "x".repeat(MAX_LINE_LENGTH);
  expect(split(long)).toEqual([long]);
  expect(split(`${long}y\nnext\n`)).toEqual([`${long}…`, "next"]);
  expect(split(...Array.from({ length: 100 }, () => long), "\nnext")).toEqual([`${long}…`, "next"]);
});
