import { describe, expect, test } from "vitest";
import { wideLines, wrapComments } from "./comment-width.mjs";

const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");

describe("a line is reported", () => {
  test.each([
    ["a line of its own", `// ${words(20)}`, [1]],
    ["a line of a block", `/**\n * ${words(20)}\n */`, [2]],
    ["a comment behind code", `const name = ${"1 + ".repeat(20)}1; // the reason for it`, [1]],
    ["a comment that is just narrow enough", `// ${"a".repeat(46)} ${"b".repeat(50)}`, []],
    ["a url", `// https://example.com/${"a".repeat(100)}`, []],
    ["a directive", `const name = ${"1 + ".repeat(20)}1; // prettier-ignore`, []],
    ["code", `const name = "${words(20)}";`, []],
    ["a drawing", ` *   idle ──${"─".repeat(90)} running`, []],
  ])("%s", (_, source, lines) => {
    expect(wideLines(source)).toEqual(lines);
  });
});

describe("wrapping", () => {
  test("a paragraph keeps its words, and its neighbours keep their breaks", () => {
    const source = `/**\n * ${words(30)}\n * end\n *\n * short\n * lines\n */`;
    const wrapped = wrapComments(source);
    expect(wideLines(wrapped)).toEqual([]);
    expect(wrapped.replace(/\s|\*/g, "")).toBe(source.replace(/\s|\*/g, ""));
    expect(wrapped).toMatch(/ \*\n \* short\n \* lines\n \*\/$/);
  });

  test("a block of one line is opened", () => {
    expect(wrapComments(`  /** ${words(20)} */`)).toBe(`  /**\n   * ${words(19)}\n   * ${words(1)}\n   */`);
  });

  test("an item of a list keeps its hanging indent, and the next item its line", () => {
    const source = `// - ${words(20)}\n// - next`;
    expect(wrapComments(source)).toBe(`// - ${words(19)}\n//   word\n// - next`);
  });

  test("a drawing, a table and a directive are left alone", () => {
    const source = `/**\n *   a ──▶ ${words(20)}\n * | ${words(20)} |\n */\n// oxlint-disable-next-line ${words(20)}`;
    expect(wrapComments(source)).toBe(source);
  });
});
