import { HoldfastError } from "@holdfast/protocol";
import { expect, test, vi } from "vitest";
import { createErrors, type ErrorContext } from "./errors.js";

function setUp() {
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const heard: [HoldfastError, ErrorContext][] = [];
  const errors = createErrors(logger, true);
  errors.on((...reported) => heard.push(reported));
  return { errors, heard, logger };
}

test("listeners receive a HoldfastError unchanged; even without a listener, the error is logged", () => {
  const { errors, heard, logger } = setUp();
  const error = new HoldfastError("BAD_MESSAGE", "No.");
  errors.report(error, { source: "message" });
  expect(heard).toEqual([[error, { source: "message" }]]);
  expect(logger.warn).toHaveBeenCalledTimes(1);
});

test("[CH5] any other thrown value becomes HANDLER_FAILED, with the value as `cause` and the origin in the message", () => {
  const { errors, heard } = setUp();
  const cause = new TypeError("x is undefined");
  errors.report(cause, { source: "handler", channel: "board:b1", event: "moved" });
  errors.report("just text", { source: "listener" });
  expect(heard.map(([error]) => error)).toMatchObject([
    { code: "HANDLER_FAILED", message: expect.stringMatching(/board:b1.*moved.*x is undefined/) as unknown, cause },
    { code: "HANDLER_FAILED", message: expect.stringContaining("just text") as unknown, cause: "just text" },
  ]);
});

test("[AM8] even a value that cannot be converted to a string is reported", () => {
  const { errors, heard } = setUp();
  const silent = {
    toString() {
      throw new Error("no text");
    },
  };
  const causes = [Object.create(null), silent, Symbol("s"), undefined, null] as unknown[];
  for (const cause of causes) errors.report(cause, { source: "handler" });
  expect(heard.map(([error]) => error.cause)).toEqual(causes);
  expect(heard.map(([error]) => error.message)).toEqual(
    ["object", "object", "Symbol(s)", "undefined", "null"].map((text) => expect.stringContaining(text) as unknown),
  );
});

test("a listener of onError that throws is logged and does not affect other listeners", () => {
  const { errors, heard, logger } = setUp();
  errors.on(() => {
    throw new Error("bad");
  });
  errors.on((...reported) => heard.push(reported));
  errors.report(new Error("x"), { source: "handler" });
  expect(heard).toHaveLength(2);
  expect(logger.error).toHaveBeenCalledTimes(1);
});
