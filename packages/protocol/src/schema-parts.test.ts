import { createRequire } from "node:module";
import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { define, refusalOfInput } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import { valueSchema } from "./value.js";

/** The copy of zod that `require` loads. Its classes differ from those of the imported copy. */
const otherCopy = createRequire(import.meta.url)("zod") as typeof full;

describe("values that are not schemas of this zod", () => {
  test.each<[name: string, make: () => unknown, ...facts: string[]]>([
    ["a schema of another library", () => ({ "~standard": { vendor: "valibot" } }), "valibot", "npm install zod@4"],
    [
      "a schema of another library that is a function",
      () => Object.assign(() => 1, { "~standard": { vendor: "arktype" } }),
      "arktype",
      "npm install zod@4",
    ],
    ["a function of zod that is not called", () => full.string, "z.string()"],
    [
      "a schema of zod 3",
      () => ({ _def: {}, parse() {}, "~standard": { vendor: "zod" } }),
      "zod 3",
      "npm install zod@4",
    ],
    ["an object that only looks like a schema", () => ({ _zod: {} })],
    ["a schema of an unknown kind", () => ({ _zod: { def: { type: "quaternion" } } }), "quaternion"],
    [
      "`z.instanceof` of a class",
      () => z.instanceof(Uint8Array).check(z.refine(() => true)),
      "Uint8Array",
      "z.base64()",
    ],
    ["`z.instanceof` of a class without a name", () => full.instanceof(class {}), "z.object()"],
    ["`z.instanceof` of another copy of zod", () => otherCopy.instanceof(URL), "URL", "z.object()"],
  ])("[PR9] %s is refused", (_name, make, ...facts) => {
    expect(refusalOfInput(make)).toEqual({ at: "", message: saying(...facts) });
  });

  test("[PR9] schemas of another copy of zod 4 are accepted, and can be mixed with schemas of this copy", () => {
    expect(otherCopy.string).not.toBe(full.string);
    const node: full.ZodType = otherCopy.lazy(() =>
      full.object({ at: otherCopy.date(), below: otherCopy.array(node.describe("a")) }),
    );
    const protocol = define(node);
    const value = { at: new Date(5), below: [{ at: new Date(6), below: [] }] };
    const sent = protocol.requests.get("r")!.input.send(value, "input");
    if (!sent.ok) throw new Error(sent.fault.message);
    expect(protocol.requests.get("r")!.input.receive(sent.value.data, sent.value.meta, "input")).toEqual({
      ok: true,
      value,
    });
    expect(valueSchema(otherCopy.string().refine(() => Promise.resolve(true))).send("a", "input")).toMatchObject({
      fault: { field: "input", message: saying("asynchronous") },
    });
  });
});
