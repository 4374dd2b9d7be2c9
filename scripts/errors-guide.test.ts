import { readFile } from "node:fs/promises";
import { closeCodes, defineProtocol, errorCodes } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";

const guide = await readFile(new URL("../docs/guides/errors.md", import.meta.url), "utf8");

/** The text of the guide below each `### CODE`. */
const sections = new Map(
  guide
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^`(\w+)`/.exec(section)?.[1], section.split(/^## /m)[0]!]),
);

type Frame = Record<string, unknown>;

/** Removes `message`, whose wording may change, and `remedy`, which the guide leaves out. */
function withoutSentences(frame: unknown): unknown {
  return JSON.parse(
    JSON.stringify(frame, (key, value: unknown) => (key === "message" || key === "remedy" ? undefined : value)),
  );
}

test("[RE17] the guide to errors has one section for every error code, and no other", () => {
  expect(sections.size).toBe(errorCodes.length + 1);
  expect(new Set(sections.keys())).toEqual(new Set([...errorCodes.map(({ code }) => code), "TITLE_TAKEN"]));
  for (const [code, section] of sections) {
    expect(section, code).toMatch(/\*\*Cause\*\*:\s\S/);
    expect(section, code).toMatch(/\*\*Cure\*\*:\s\S/);
  }
});

test("[RE18] the guide's table of close codes has every code with its name and its action", () => {
  const rows = [...guide.matchAll(/^\| (\d+) +\| `(\w+)` +\|.*\| (\w+) +\|$/gm)].map(([, code, name, action]) => ({
    code: Number(code),
    name,
    action,
  }));
  const words = { retry: "retries", retry_after: "waits", new_token: "renews", stop: "stops" };
  expect(rows).toEqual(closeCodes.map(({ code, name, action }) => ({ code, name, action: words[action] })));
});

const protocol = defineProtocol({
  name: "reports",
  version: "1.0.0",
  requests: {
    "report.create": {
      input: z.object({ title: z.string() }),
      output: z.object({ id: z.string() }),
      errors: { TITLE_TAKEN: z.object({ id: z.string() }) },
    },
  },
  channels: {
    news: { events: { added: z.string() } },
    board: { key: z.string(), document: z.object({ title: z.string() }) },
  },
});

const app = createServer(protocol, {
  authenticate: ({ token }) => {
    if (token !== "abc123") throw new Error("unknown token");
    return { userId: "ada" };
  },
  authorize: ({ channel }) => channel !== "news",
  limits: { requestsInFlight: 2 },
});
app.handle("report.create", async ({ input: { title }, error }) => {
  if (title === "Sales") throw error("TITLE_TAKEN", { id: "r1" });
  if (title === "fast")
    throw error("RATE_LIMITED", "You created five reports in this minute.", { retryAfterMs: 20_000 });
  if (title === "down") throw error("UNAVAILABLE", "The archive is closed for maintenance.");
  if (title === "broken") throw new Error("secret");
  if (title === "wrong") return {} as never;
  return new Promise<never>(() => {});
});

/** Opens a connection, sends the messages and returns the first answer that contains the code. */
async function answer(url: string, code: string, messages: readonly Frame[]): Promise<Frame> {
  const frames: Frame[] = [];
  const ws = new WebSocket(url);
  ws.on("message", (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  await new Promise((resolve) => ws.once("open", resolve));
  if (messages[0]?.["type"] !== "auth") ws.send(JSON.stringify({ type: "auth", data: { token: "abc123" } }));
  for (const message of messages) ws.send(JSON.stringify(message));
  const found = await vi.waitFor(() => {
    const frame = frames.find((one) => JSON.stringify(one).includes(`"${code}"`));
    if (!frame) throw new Error(`no ${code} in ${JSON.stringify(frames)}`);
    return frame;
  });
  ws.terminate();
  return found;
}

const call = (title: unknown, id = "1", more = {}): Frame => ({
  type: "request",
  correlation_id: id,
  data: { name: "report.create", input: { title }, ...more },
});
const subscribe = (...channels: string[]): Frame => ({ type: "subscribe", correlation_id: "1", data: { channels } });

const triggers: Record<string, readonly Frame[]> = {
  BAD_MESSAGE: [{ type: "subscribe", data: { channels: "news" } }],
  INVALID_INPUT: [call(7)],
  UNKNOWN_REQUEST: [{ type: "request", correlation_id: "1", data: { name: "report.archive" } }],
  UNKNOWN_CHANNEL: [subscribe("weather")],
  UNAUTHENTICATED: [{ type: "auth", data: { token: "guess" } }],
  FORBIDDEN: [subscribe("news")],
  LIMIT_EXCEEDED: [call("slow", "1"), call("slow", "2"), call("slow", "3")],
  RATE_LIMITED: [call("fast")],
  INTERNAL: [call("broken")],
  INVALID_OUTPUT: [call("wrong")],
  UNAVAILABLE: [call("down")],
  TIMEOUT: [call("slow", "1", { timeout_ms: 20 })],
  CANCELLED: [call("slow"), { type: "cancel", correlation_id: "1" }],
  STATE_DELETED: [subscribe("board:7c1f")],
  TITLE_TAKEN: [call("Sales")],
};

describe("the JSON in the guide to errors", () => {
  let url: string;
  beforeAll(async () => {
    url = `ws://127.0.0.1:${(await app.listen(0)).port}/ws`;
    const { document } = app.channel("board", "7c1f");
    await document.set({ title: "Books" });
    await document.delete({ reason: "BOARD_ARCHIVED" });
  });
  afterAll(() => app.close({ graceMs: 0 }));

  test("[RE17] every section whose error crosses the wire shows the JSON", () => {
    const shown = [...sections].filter(([, section]) => section.includes("```json")).map(([code]) => code);
    expect(new Set(shown)).toEqual(new Set(Object.keys(triggers)));
  });

  test("[RE17] only sections in a group of errors that are never on the wire show no JSON", () => {
    for (const group of guide.split(/^## /m).slice(1)) {
      const isLocal = group.includes("never on the wire");
      for (const section of group.split(/^### /m).slice(1)) expect(section.includes("```json")).toBe(!isLocal);
    }
  });

  test.each(Object.keys(triggers))(
    "[RE17] the JSON of %s is the frame that a server sends, apart from `message` and `remedy`",
    async (code) => {
      const frame = await answer(url, code, triggers[code]!);
      const shown = /```json\n([^`]+)```/.exec(sections.get(code) ?? "")?.[1] ?? "null";
      expect(withoutSentences(JSON.parse(shown))).toEqual(withoutSentences(frame));
    },
  );
});
