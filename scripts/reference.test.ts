import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonSchema } from "@holdfast/protocol/describe";
import { serverMessage } from "@holdfast/protocol/wire";
import { filesBelow } from "./files.mjs";
import { root } from "./run.mjs";

const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");

test("[DO4] the reference lists exactly the messages that the server does not send yet", async () => {
  const reference = await read("docs/reference/protocol.md");
  const [, list = ""] = /never sends ([^.]*)\./.exec(reference) ?? [];
  const named = [...list.matchAll(/`(\w+)`/g)].map(([, type]) => type!);

  const sources = filesBelow("packages/server/src").filter((path: string) => !/\.test(-d)?\.ts$/.test(path));
  const text = (await Promise.all(sources.map(read))).join("\n");
  const messages = jsonSchema(serverMessage) as { oneOf: { properties: { type: { const: string } } }[] };
  const types = messages.oneOf.map(({ properties }) => properties.type.const);
  const unsent = types.filter((type) => !new RegExp(`"?type"?: ?"${type}"`).test(text));
  expect(named.sort()).toEqual(unsent.sort());
});
