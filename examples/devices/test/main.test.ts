import { beforeAll, expect, test } from "vitest";
import { loggedIn } from "./browser.js";
import { build, end, runMain } from "./run-main.js";
import { emptyFolder } from "./start-example.js";

beforeAll(build);

test("[DX19] The server prints its address on one line, and a port that is taken is one line too, with what to do.", async () => {
  const data = await emptyFolder();
  const server = await runMain({ data });
  expect(server.output()).toBe(`Devices example: http://localhost:${server.port} (WebSocket at /ws)\n`);
  await expect(runMain({ data, port: server.port })).rejects.toThrow(
    /ended with 1:\nThe port is taken\. .*PORT=3001 npm run demo:devices/,
  );
});

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
  "[DX1] A login outlives a server that was ended by %s.",
  async (signal) => {
    const data = await emptyFolder();
    const first = await runMain({ data });
    const browser = await loggedIn(first.port);
    const code = await end(first, signal);
    expect(code).toBe(signal === "SIGKILL" ? null : 0);
    await runMain({ data, port: first.port });
    expect(await browser.user()).toMatchObject({ id: "ada" });
  },
  20_000,
);
