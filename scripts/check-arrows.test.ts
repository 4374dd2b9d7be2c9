import { expect, test } from "vitest";
import { strayPatterns, violations } from "./check-arrows.mjs";
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
  expect(server("channel/channel.ts", `// a comment\n${source}\n`)).toEqual([
    expect.stringMatching(
      /^channel\/channel\.ts imports .*channel may use facts, log, presence, document, not session\. .*Subscriber/,
    ),
  ]);
});

test("imports within a layer, downwards, and of packages are left alone", () => {
  const source = `
    import { WebSocketServer } from "ws";
    import type { Subscriber } from "./subscriber.js";
    import type { Frame } from "../transport/frame.js";`;
  expect(server("channel/channel.ts", source)).toEqual([]);
});

test("only create-server.ts names a transport", () => {
  const source = `import { nodeTransport } from "./transport/node.js";`;
  expect(server("create-server.ts", source)).toEqual([]);
  expect(server("dispatch/dispatcher.ts", source.replace("./", "../"))).toHaveLength(1);
});

test("a file without a layer has to be given one", () => {
  expect(server("helpers.ts", "")).toEqual([expect.stringContaining("belongs to no layer")]);
});

test("a pattern that fits no file is named", () => {
  const table = [{ name: "facts", files: ["log/*", "transport/{frame,gone}.ts", "old/*"], uses: [], teaches: "" }];
  expect(strayPatterns(["log/topics.ts", "transport/frame.ts"], table)).toEqual([
    expect.stringContaining("transport/{frame,gone}.ts"),
    expect.stringContaining("old/*"),
  ]);
});
