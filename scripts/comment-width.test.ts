import { describe, expect, test } from "vitest";
import { wideLines, wrapComments } from "./comment-width.mjs";

const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");

describe("wideLines reports", () => {
  test.each([
    ["a comment on a line of its own", `// ${words(20)}`, [1]],
    ["a line of a block comment", `/**\n * ${words(20)}\n */`, [2]],
    ["a comment behind code", `const name = ${"1 + ".repeat(20)}1; // the reason for it`, [1]],
    ["no comment of exactly 100 columns", `// ${"a".repeat(46)} ${"b".repeat(50)}`, []],
    ["no url", `// https://example.com/${"a".repeat(100)}`, []],
    ["no directive", `const name = ${"1 + ".repeat(20)}1; // prettier-ignore`, []],
    ["no code", `const name = "${words(20)}";`, []],
    ["no drawing", ` *   idle ──${"─".repeat(90)} running`, []],
  ])("%s", (_, source, lines) => {
    expect(wideLines(source)).toEqual(lines);
  });
});

describe("wrapComments", () => {
  test("wraps a paragraph and keeps the line breaks of its neighbours", () => {
    const source = `/**\n * ${words(30)}\n * end\n *\n * short\n * lines\n */`;
    const wrapped = wrapComments(source);
    expect(wideLines(wrapped)).toEqual([]);
    expect(wrapped.replace(/\s|\*/g, "")).toBe(source.replace(/\s|\*/g, ""));
    expect(wrapped).toMatch(/ \*\n \* short\n \* lines\n \*\/$/);
  });

  test("gives a block of one line several lines", () => {
    expect(wrapComments(`  /** ${words(20)} */`)).toBe(`  /**\n   * ${words(19)}\n   * ${words(1)}\n   */`);
  });

  test("indents the continuation of a list item and keeps the next item on its own line", () => {
    const source = `// - ${words(20)}\n// - next`;
    expect(wrapComments(source)).toBe(`// - ${words(19)}\n//   word\n// - next`);
  });

  test("keeps drawings, tables and directives unchanged", () => {
    const source = `/**\n *   a ──▶ ${words(20)}\n * | ${words(20)} |\n */\n// oxlint-disable-next-line ${words(20)}`;
    expect(wrapComments(source)).toBe(source);
  });
});
