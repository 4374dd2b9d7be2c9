import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sign } from "cookie-signature";
import express from "express";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { COOKIE, Logins } from "./login.js";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "devices-login-"));
  // Express touches a session when it has answered already: the store may still be writing its last
  // state.
  onTestFinished(() => rm(path, { recursive: true, maxRetries: 10, retryDelay: 20 }));
  return path;
}

/** Logs in over HTTP, as a browser does; the value of the cookie, decoded as a server reads it. */
async function logIn(logins: Logins, cookie?: string): Promise<{ value: string; header: string }> {
  const app = express().use(logins.middleware);
  app.post("/", async (request, response) => void response.json(await logins.begin(request, "ada")));
  const http = app.listen(0, "127.0.0.1");
  onTestFinished(() => void http.close());
  await once(http, "listening");
  const response = await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`, {
    method: "POST",
    headers: { ...(cookie !== undefined && { cookie: `${COOKIE}=${encodeURIComponent(cookie)}` }) },
  });
  const header = response.headers.get("set-cookie") ?? "";
  return { value: decodeURIComponent(/^[^=]+=([^;]+)/.exec(header)?.[1] ?? ""), header };
}

test("[DX3] The cookie of a login is httpOnly and SameSite=Strict, and says whose it is.", async () => {
  const logins = await Logins.open({ dataFolder: await folder() });
  const { value, header } = await logIn(logins);
  expect(header).toMatch(/; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/);
  expect(logins.find(value)).toEqual({
    id: expect.any(String),
    userId: "ada",
    sessionId: expect.any(String),
    expiresAt: expect.any(Number),
  });
  const days = ((logins.find(value)?.expiresAt ?? 0) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(6.9);
  expect(days).toBeLessThanOrEqual(7);
});

test("[DX3] A login gets a session id of its own: one that was known before it is worth nothing after it.", async () => {
  const logins = await Logins.open({ dataFolder: await folder() });
  const first = await logIn(logins);
  const second = await logIn(logins, first.value);
  expect(second.value).not.toBe(first.value);
  expect(logins.find(first.value)).toBeUndefined();
  expect(logins.find(second.value)).toBeDefined();
});

test("[DX3] A cookie that is missing, unsigned, signed by another secret, or of a login that ended is nobody's.", async () => {
  const logins = await Logins.open({ dataFolder: await folder() });
  const { value } = await logIn(logins);
  const found = logins.find(value);
  const sessionId = found?.sessionId ?? "";
  const others = [
    undefined,
    "",
    "s:",
    sessionId,
    `s:${sessionId}`,
    `s:${sign(sessionId, "another secret")}`,
    `${value}x`,
  ];
  expect(others.map((other) => logins.find(other))).toEqual(others.map(() => undefined));
  await logins.end(sessionId);
  expect(logins.find(value)).toBeUndefined();
});

test("[DX1] A login outlives the server, and so does the secret that signed its cookie.", async () => {
  const dataFolder = await folder();
  const { value } = await logIn(await Logins.open({ dataFolder }));
  expect((await Logins.open({ dataFolder })).find(value)?.userId).toBe("ada");
  const secret = join(dataFolder, "secret");
  expect(await readFile(secret, "utf8")).toMatch(/^[\w-]{43}$/);
  expect((await stat(secret)).mode & 0o077).toBe(0);
});

test("[DX1] A login ends a week after it was made.", async () => {
  let now = Date.now();
  const logins = await Logins.open({ dataFolder: await folder(), now: () => now });
  const { value } = await logIn(logins);
  now += 7 * 86_400_000 + 1_000;
  expect(logins.find(value)).toBeUndefined();
});
