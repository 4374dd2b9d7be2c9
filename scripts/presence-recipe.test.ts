import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { enterRoom } from "../docs/snippets/room-client.js";
import { ring, server } from "../docs/snippets/room-server.js";

const read = (path: string): Promise<string> => readFile(new URL(`../docs/${path}`, import.meta.url), "utf8");
let url: string;

beforeAll(async () => {
  url = `ws://127.0.0.1:${(await server.listen(0)).port}/ws`;
});
afterAll(() => server.close());

/** Opens the page of a user, and records the lists that the page shows. */
function open(token: string, showCall: (event: string, from: string) => void = () => {}) {
  const lists: string[][] = [];
  const page = enterRoom(url, token, "lobby", { showUsers: (names) => void lists.push(names), showCall });
  return { ...page, lists };
}

test.each(["room-protocol", "room-server", "room-client"])(
  "[RE15] the guide to presence contains %s unchanged, and the file fits a screen",
  async (name) => {
    const snippet = await read(`snippets/${name}.ts`);
    expect(await read("guides/presence.md")).toContain(`\`\`\`ts\n// ${name}.ts\n${snippet}\`\`\``);
    expect(snippet.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
  },
);

test("[RE15] a room lists its users with the names that the server gives, follows changes, and no longer lists a user who leaves", async () => {
  const [ada, grace] = [open("token-ada"), open("token-grace")];
  await vi.waitFor(() => expect(ada.lists.at(-1)).toEqual(["Ada", "Grace"]), { timeout: 3_000 });
  grace.setTyping(true);
  await vi.waitFor(() => expect(ada.lists.at(-1)).toEqual(["Ada", "Grace is typing"]));
  expect(await server.channel("room", "lobby").presence.list()).toHaveLength(2);
  grace.leave();
  // The list drops the user when the grace period of 5 s is over.
  await vi.waitFor(() => expect(ada.lists.at(-1)).toEqual(["Ada"]), { timeout: 8_000 });
  ada.client.disconnect();
  grace.client.disconnect();
}, 15_000);

test("[RE15] a call reports the devices whose handlers have finished, and the reason for each other device", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const calls: string[] = [];
  const first = open("token-ada", (event, from) => void calls.push(`${event} ${from}`));
  const second = open("token-ada", () => {
    throw new Error("the page is broken");
  });
  second.client.onError(() => {});
  const ids: string[] = [];
  for (const { client } of [first, second])
    ids.push(
      await vi.waitFor(() => {
        const status = client.status.get();
        if (status.name !== "ready") throw new Error("not ready");
        return status.sessionId;
      }),
    );
  expect(await ring("ada", "Grace")).toEqual([ids[0]]);
  expect(calls).toEqual(["call.ringing Grace"]);
  expect(log).toHaveBeenCalledWith(`no answer from ${ids[1]}: handler_failed`);
  expect(await server.user("nobody").send("call.ended", { from: "Grace" })).toEqual({ delivered: [], failed: [] });
  first.client.disconnect();
  second.client.disconnect();
  log.mockRestore();
});
