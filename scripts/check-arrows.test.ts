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
])("`violations` reports a channel that imports a session, written as %j", (source) => {
  expect(server("channel/members.ts", `// a comment\n${source}\n`)).toEqual([
    expect.stringMatching(
      /^channel\/members\.ts imports .*channel may use facts, log, presence, document, not session\. .*Subscriber/,
    ),
  ]);
});

test("`violations` accepts imports within a layer, imports of lower layers and imports of packages", () => {
  const source = `
    import { WebSocketServer } from "ws";
    import type { Subscriber } from "./subscriber.js";
    import type { Frame } from "../transport/frame.js";`;
  expect(server("channel/members.ts", source)).toEqual([]);
});

test("`violations` accepts an import of a transport in create-server.ts, and reports the import in dispatcher.ts", () => {
  const source = `import { nodeTransport } from "./transport/node.js";`;
  expect(server("create-server.ts", source)).toEqual([]);
  expect(server("dispatch/dispatcher.ts", source.replace("./", "../"))).toHaveLength(1);
});

test("`violations` reports a file without a layer", () => {
  expect(server("helpers.ts", "")).toEqual([expect.stringContaining("belongs to no layer")]);
});

test("`strayPatterns` reports a pattern that matches no file", () => {
  const table = [{ name: "facts", files: ["log/*", "transport/{frame,gone}.ts", "old/*"], uses: [], teaches: "" }];
  expect(strayPatterns(["log/topics.ts", "transport/frame.ts"], table)).toEqual([
    expect.stringContaining("transport/{frame,gone}.ts"),
    expect.stringContaining("old/*"),
  ]);
});

test("`circles` reports a circle of imports with all files of the circle, even if some imports are type imports", () => {
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

test("`circles` accepts a known circle, and reports a known circle that has grown or no longer exists", () => {
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

test("`circles` reports two folders that import each other, even if no two files import each other, and ignores files outside folders", () => {
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
