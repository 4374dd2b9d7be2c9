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
  // express-session touches a session after the response, so the store may still be writing.
  // Therefore the removal of the folder is retried.
  onTestFinished(() => rm(path, { recursive: true, maxRetries: 10, retryDelay: 20 }));
  return path;
}

/**
 * Logs in over HTTP, as a browser does. Returns the Set-Cookie header and the decoded cookie.
 */
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

test("[DX3] begin sets a cookie with HttpOnly and SameSite=Strict, and find returns the user of this cookie", async () => {
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

test("[DX3] a login creates a new session id, and the session id from before the login is no longer valid", async () => {
  const logins = await Logins.open({ dataFolder: await folder() });
  const first = await logIn(logins);
  const second = await logIn(logins, first.value);
  expect(second.value).not.toBe(first.value);
  expect(logins.find(first.value)).toBeUndefined();
  expect(logins.find(second.value)).toBeDefined();
});

test("[DX3] find returns undefined for a cookie that is missing, unsigned or signed with another secret, and for a login that has ended", async () => {
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

test("[DX1] a login and the secret of its cookie survive a restart of the server, and only the owner can read the secret", async () => {
  const dataFolder = await folder();
  const { value } = await logIn(await Logins.open({ dataFolder }));
  expect((await Logins.open({ dataFolder })).find(value)?.userId).toBe("ada");
  const secret = join(dataFolder, "secret");
  expect(await readFile(secret, "utf8")).toMatch(/^[\w-]{43}$/);
  expect((await stat(secret)).mode & 0o077).toBe(0);
});

test("[DX1] a login ends after a week", async () => {
  let now = Date.now();
  const logins = await Logins.open({ dataFolder: await folder(), now: () => now });
  const { value } = await logIn(logins);
  now += 7 * 86_400_000 + 1_000;
  expect(logins.find(value)).toBeUndefined();
});
