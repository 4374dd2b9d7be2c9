import { createRequire } from "node:module";
import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { defineProtocol, type Schema } from "@holdfast/protocol";
import { protocolFiles } from "./index.js";

/** The CommonJS build of zod, whose classes differ from the classes of `import`. */
const otherCopy = createRequire(import.meta.url)("zod") as typeof full;

/** The JSON Schema file of a request's input with this schema. */
function inputFile(input: Schema): string | undefined {
  const protocol = defineProtocol({ name: "p", version: "1.0.0", requests: { r: { input } } });
  return protocolFiles(protocol).get("schemas/requests/r/input.json");
}

describe("protocolFiles of a schema that contains itself", () => {
  type Node = full.ZodType<{ name: string; below: unknown[] }>;
  const ways: readonly [name: string, refer: (node: Node) => full.ZodType][] = [
    ["as it is", (node) => node],
    ["with describe", (node) => node.describe("below")],
    ["with meta", (node) => node.meta({ title: "below" })],
    ["with refine", (node) => node.refine(({ name }) => name !== "")],
    ["with a refinement of zod/mini", (node) => node.check(z.refine(({ name }) => name !== ""))],
    ["with a brand", (node) => node.brand("Node")],
    ["with readonly", (node) => node.readonly()],
    ["within another lazy part", (node) => full.lazy(() => node.describe("below"))],
    ["in a union", (node) => full.union([node.describe("a"), node.refine(() => false)])],
    ["in an intersection", (node) => full.intersection(node.describe("a"), full.looseObject({}))],
  ];

  test.each(ways)("[PR10] terminates if a lazy schema refers to itself %s", (_name, refer) => {
    const node: Node = full.lazy(() => full.object({ name: full.string(), below: full.array(refer(node)) }));
    expect(inputFile(node)).toContain('"below"');
  });

  test.each(ways)("[PR10] terminates if an object with a getter refers to itself %s", (_name, refer) => {
    const node: Node = full.object({
      name: full.string(),
      get below(): full.ZodType<unknown[]> {
        return full.array(refer(node));
      },
    });
    expect(inputFile(node)).toContain('"below"');
  });

  test("[PR10] terminates if two schemas contain each other, from either schema", () => {
    const folder: full.ZodType = full.lazy(() => full.object({ files: full.array(file.describe("a file")) }));
    const file: full.ZodType = full.object({
      get in() {
        return folder.meta({ title: "folder" }).nullable();
      },
    });
    for (const schema of [folder, file]) {
      expect(inputFile(schema)).toContain('"files"');
      expect(inputFile(schema)).toContain('"in"');
    }
  });

  test("[PR9] terminates if parts of the schema come from another copy of zod", () => {
    expect(otherCopy.string).not.toBe(full.string);
    const node: full.ZodType = otherCopy.lazy(() =>
      full.object({ at: otherCopy.date(), below: otherCopy.array(node.describe("a")) }),
    );
    expect(inputFile(node)).toContain('"x-holdfast-type": "Date"');
  });
});
