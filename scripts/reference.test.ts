import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverMessage } from "@holdfast/protocol/wire";
import { filesBelow } from "./files.mjs";
import { root } from "./run.mjs";

const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");

test("[DO4] the reference names the messages that the server does not send yet, all of them and no others", async () => {
  const reference = await read("docs/reference/protocol.md");
  const [, list = ""] = /The server of this release never sends ([^.]*)\./.exec(reference) ?? [];
  const named = [...list.matchAll(/`(\w+)`/g)].map(([, type]) => type!);

  const sources = filesBelow("packages/server/src").filter((path: string) => !/\.test(-d)?\.ts$/.test(path));
  const text = (await Promise.all(sources.map(read))).join("\n");
  const types = serverMessage._zod.def.options.map((option) => option._zod.def.shape.type._zod.def.values[0]!);
  const unsent = types.filter((type) => !new RegExp(`"?type"?: ?"${type}"`).test(text));
  expect(named.sort()).toEqual(unsent.sort());
});
