import { beforeAll, expect, test } from "vitest";
import { loggedIn } from "./browser.js";
import { build, end, runMain } from "./run-main.js";
import { emptyFolder } from "./start-example.js";

beforeAll(build);

test("[DX19] the server prints its address on one line, and if the port is taken, exits with 1 and one line that names another port", async () => {
  const data = await emptyFolder();
  const server = await runMain({ data });
  expect(server.output()).toBe(`Devices example: http://localhost:${server.port} (WebSocket at /ws)\n`);
  await expect(runMain({ data, port: server.port })).rejects.toThrow(
    /ended with 1:\n.*PORT=3001 npm run demo:devices\n$/,
  );
});

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
  "[DX1] a login is still valid after %s has ended the server and the server was started again",
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
