import { describe, expect, test } from "vitest";
import { compare, tokensOf } from "./words-only.mjs";

const result = (before: string, after: string, path = "a.ts") => compare(tokensOf(path, before), tokensOf(path, after));

describe("compare accepts a change of", () => {
  test.each([
    ["a comment", "/** One. */ const a = 1; // old", "/** Two. */\nconst a = 1;"],
    ["a text", 'fail("It was refused.");', 'fail("The server refused it.");'],
    ["a text that moves into a second string", 'log("all is well", 1);', 'log("everything " + "is well", 1);'],
    ["values in another order", "log(`${a} of ${b} went`);", "log(`${b} lost ${a} of them`);"],
    ["a label", 'button("Join");', 'button("Enter");'],
    ["a word within a text", 'log(`a ${on ? "good" : "bad"} day`);', 'log(`a ${on ? "fine" : "bad"} day`);'],
    ["a list that prettier breaks", 'call("a b", 1);', 'call(\n  "a much longer text",\n  1,\n);'],
    ["a comment in a script", "run(`\nlocal a = 1\n-- old`);", "run(`\nlocal a = 1\n-- new`);"],
  ])("%s", (_, before, after) => {
    expect(result(before, after).difference).toBeUndefined();
  });

  test("compare lists the changed texts", () => {
    expect(result('a("one two", "kept it");', 'a("three four", "kept it");').texts).toEqual([
      ["one two", "three four"],
    ]);
  });

  test("text and visible attributes of a page, words outside the code fences of a guide", () => {
    expect(result('<b title="Old">Old</b>', '<b title="New">New</b>', "a.html").difference).toBeUndefined();
    const guide = (text: string) => `${text}\n\`\`\`ts\na; // ${text}\n\`\`\``;
    expect(result(guide("Old."), guide("New."), "a.md").difference).toBeUndefined();
  });
});

describe("compare reports a change of", () => {
  test.each([
    ["an operator", "if (a < b) log('x y');", "if (a <= b) log('x y');"],
    ["a sign", "a(-1);", "a(1);"],
    ["a keyword", "let a = 1;", "const a = 1;"],
    ["a string that a program reads", 'on("message");', 'on("event");'],
    ["a path with a value", "get(`rows/${id}`);", "get(`row/${id}`);"],
    ["a rule id", 'test("[RV6] resumes at once");', 'test("[RV7] resumes at once");'],
    ["an inserted value", "log(`${a} went away`);", "log(`${b} went away`);"],
    ["an argument", 'fail("A b.", { field: "a" });', 'fail("A b.", { field: "b" });'],
    ["a regular expression", "/a b/.test(x);", "/a c/.test(x);"],
    ["a script", "run(`\nlocal a = 1\n`);", "run(`\nlocal a = 2\n`);"],
    ["a type", 'let a: "x" | "y";', 'let a: "x" | "z";'],
    ["a statement", "a();", "a(); b();"],
  ])("%s", (_, before, after) => {
    expect(result(before, after).difference).toBeDefined();
  });

  test("a tag, a rule of style, the code in a guide, data", () => {
    expect(result("<b>x</b>", "<i>x</i>", "a.html").difference).toBeDefined();
    expect(result("a { top: 1px; }", "a { top: 2px; }", "a.css").difference).toBeDefined();
    expect(result("```ts\na();\n```", "```ts\nb();\n```", "a.md").difference).toBeDefined();
    expect(result('{ "a": "b c" }', '{ "a": "b d" }', "a.json").difference).toBeDefined();
  });
});
