import { expect, test } from "vitest";
import { circles, strayPatterns, violations } from "./check-arrows.mjs";
import { layers } from "./layers.mjs";

function server(path: string, source: string): string[] {
  return violations(new Map([[path, source]]), layers.server);
}

test.each([
  `import { Session } from "../session/session.js";`,
  `import type { Session } from "../session/session.js";`,
  `import {\n  type Session,\n} from "../session/session.js";`,
  `export { Session } from "../session/session.js";`,
  `export * from "../session/session.js";`,
  `const { Session } = await import("../session/session.js");`,
  `import "../session/session.js";`,
])("a channel that names a session is refused, written as %j", (source) => {
  expect(server("channel/members.ts", `// a comment\n${source}\n`)).toEqual([
    expect.stringMatching(
      /^channel\/members\.ts imports .*channel may use facts, log, presence, document, not session\. .*Subscriber/,
    ),
  ]);
});

test("imports within a layer, imports of lower layers and imports of packages are accepted", () => {
  const source = `
    import { WebSocketServer } from "ws";
    import type { Subscriber } from "./subscriber.js";
    import type { Frame } from "../transport/frame.js";`;
  expect(server("channel/members.ts", source)).toEqual([]);
});

test("only create-server.ts names a transport", () => {
  const source = `import { nodeTransport } from "./transport/node.js";`;
  expect(server("create-server.ts", source)).toEqual([]);
  expect(server("dispatch/dispatcher.ts", source.replace("./", "../"))).toHaveLength(1);
});

test("a file without a layer is refused", () => {
  expect(server("helpers.ts", "")).toEqual([expect.stringContaining("belongs to no layer")]);
});

test("a pattern that matches no file is reported", () => {
  const table = [{ name: "facts", files: ["log/*", "transport/{frame,gone}.ts", "old/*"], uses: [], teaches: "" }];
  expect(strayPatterns(["log/topics.ts", "transport/frame.ts"], table)).toEqual([
    expect.stringContaining("transport/{frame,gone}.ts"),
    expect.stringContaining("old/*"),
  ]);
});

test("a circle of imports is reported with all of its files, type imports included", () => {
  const sources = new Map([
    ["a.ts", `import { b } from "./log/b.js";`],
    ["log/b.ts", `import type { C } from "./c.js";`],
    ["log/c.ts", `export { a } from "../a.js";`],
    ["d.ts", `import { a } from "./a.js";`],
  ]);
  expect(circles(sources)).toEqual([expect.stringMatching(/^a\.ts, log\/b\.ts, log\/c\.ts import each other/)]);
  sources.set("log/c.ts", "");
  expect(circles(sources)).toEqual([]);
});

test("a known circle is accepted, and reported if it grows or no longer exists", () => {
  const known = [{ files: ["b.ts", "a.ts"], why: "a test" }];
  const sources = new Map([
    ["a.ts", `import { b } from "./b.js";`],
    ["b.ts", `import { a } from "./a.js";`],
  ]);
  expect(circles(sources, known)).toEqual([]);
  sources.set("b.ts", `import { a } from "./a.js";\nimport { c } from "./c.js";`).set("c.ts", `import "./a.js";`);
  expect(circles(sources, known)).toEqual([
    expect.stringContaining("a.ts, b.ts, c.ts import each other"),
    expect.stringContaining("a.ts, b.ts no longer form a circle"),
  ]);
  sources.clear();
  expect(circles(sources, known)).toEqual([expect.stringContaining("a.ts, b.ts no longer form a circle")]);
});

test("two folders that import each other are reported, even if no two files do; files outside folders do not count", () => {
  const sources = new Map([
    ["log/one.ts", `import type { Two } from "../state/two.js";`],
    ["state/two.ts", ""],
    ["state/three.ts", `import { four } from "../log/redis/four.js";`],
    ["log/redis/four.ts", `import { five } from "../../five.js";`],
    ["five.ts", `import { one } from "./log/one.js";`],
  ]);
  expect(circles(sources)).toEqual([
    "The folders log and state import each other: " +
      "log/one.ts imports state/two.ts, and state/three.ts imports log/redis/four.ts.",
  ]);
});
