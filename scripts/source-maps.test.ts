import { encode } from "@jridgewell/sourcemap-codec";
import { expect, test } from "vitest";
import { lightMap, withoutDocstrings } from "./source-maps.mjs";

const segments = [
  [0, 0, 4, 2],
  [10, 1, 7, 0],
  [14, 1, 9, 3],
  [20, 2, 1, 5],
] as [number, number, number, number][];
const map = JSON.stringify({
  version: 3,
  file: "/home/builder/dist/index.js",
  sources: ["../src/index.ts", "../../../node_modules/superjson/dist/index.js", "/home/builder/dist/errors.ts"],
  sourcesContent: ["one", "two", "three"],
  names: ["kept"],
  mappings: encode([segments, []]),
});

test("[DO10] lightMap keeps every mapping to our sources, and removes texts, absolute paths and bundled packages", () => {
  expect(JSON.parse(lightMap(map))).toEqual({
    version: 3,
    sources: ["../src/index.ts", "errors.ts"],
    names: ["kept"],
    mappings: encode([[[0, 0, 4, 2], [10], [20, 1, 1, 5]], []]),
  });
});

test("[DO10] lightMap leaves a light map unchanged", () => {
  const light = lightMap(map);
  expect(lightMap(light)).toBe(light);
});

test("[DO10] withoutDocstrings removes docstrings, and keeps code, other comments and the number of lines", () => {
  const code = ["a = /* @__PURE__ */ f();", "b = '/** c */';", "// d"];
  const text = ["/**", " * Two", " * lines.", " */", code[0], "  /** One. */", code[1], code[2]].join("\n");
  expect(withoutDocstrings(text)).toBe(["", "", "", "", code[0], "", code[1], code[2]].join("\n"));
});
