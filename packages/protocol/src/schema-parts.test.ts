import { createRequire } from "node:module";
import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { define, refusalOfInput } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import { valueSchema } from "./value.js";

/** What zod's `require` gives: other classes than those of `import`. */
const otherCopy = createRequire(import.meta.url)("zod") as typeof full;

describe("what is no schema of this zod", () => {
  test.each<[name: string, make: () => unknown, ...facts: string[]]>([
    ["a schema of another library", () => ({ "~standard": { vendor: "valibot" } }), "valibot", "npm install zod@4"],
    [
      "one that is a function",
      () => Object.assign(() => 1, { "~standard": { vendor: "arktype" } }),
      "arktype",
      "npm install zod@4",
    ],
    ["a function of zod that was not called", () => full.string, "z.string()"],
    [
      "a schema of zod 3",
      () => ({ _def: {}, parse() {}, "~standard": { vendor: "zod" } }),
      "zod 3",
      "npm install zod@4",
    ],
    ["an object that only looks like one", () => ({ _zod: {} })],
    ["a schema of a kind that is not known", () => ({ _zod: { def: { type: "quaternion" } } }), "quaternion"],
    [
      "a class whose instances are meant",
      () => z.instanceof(Uint8Array).check(z.refine(() => true)),
      "Uint8Array",
      "z.base64()",
    ],
    ["a class without a name", () => full.instanceof(class {}), "z.object()"],
    ["a class of another copy of zod", () => otherCopy.instanceof(URL), "URL", "z.object()"],
  ])("[PR9] %s is refused", (_name, make, ...facts) => {
    expect(refusalOfInput(make)).toEqual({ at: "", message: saying(...facts) });
  });

  test("[PR9] schemas of another copy of zod 4 are read as one's own, and can be mixed with them", () => {
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
