import { expect, test } from "vitest";
import { Browser, loggedIn } from "./browser.js";
import { start } from "./start-example.js";

test("[DX4] A login is answered with who it is, is known to every request after it, and ends with the logout.", async () => {
  const browser = new Browser((await start()).port);
  expect(await browser.user()).toBeNull();
  expect(browser.cookie).toBeUndefined();

  const answer = await browser.logIn("grace");
  expect(await answer.json()).toEqual({ user: { id: "grace", name: "Grace Hopper" } });
  expect(await browser.user()).toEqual({ id: "grace", name: "Grace Hopper" });

  const { cookie } = browser;
  expect((await browser.post("/logout")).status).toBe(204);
  expect(browser.cookie).toBeUndefined();
  // The cookie is not only forgotten by the browser: it is worth nothing to whoever has kept it.
  browser.cookie = cookie;
  expect(await browser.user()).toBeNull();
});

test("[DX4] A login that is no JSON, or not of its shape, is refused and nobody is logged in.", async () => {
  const browser = new Browser((await start()).port);
  const form = { method: "POST", body: new URLSearchParams({ user: "ada", password: "holdfast" }) };
  const raw = (body: string) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body });
  const statuses = await Promise.all([
    browser.fetch("/login", form),
    browser.fetch("/login", raw('{"user":')),
    browser.fetch("/login", raw(JSON.stringify({ user: "ada", password: "x".repeat(2_000) }))),
    browser.post("/login", { user: "ada" }),
    browser.post("/login", { user: { $ne: null }, password: "holdfast" }),
    browser.post("/login", ["ada", "holdfast"]),
    browser.logIn("ada", "wrong"),
    browser.logIn("eve"),
  ]);
  expect(statuses.map(({ status }) => status)).toEqual([400, 400, 413, 400, 400, 400, 401, 401]);
  for (const response of statuses) expect(await response.json()).toEqual({ error: expect.any(String) });
  expect(browser.cookie).toBeUndefined();
});

test("[DX4] HTTP serves the page with a strict policy, who is logged in, its health, and nothing else.", async () => {
  const browser = await loggedIn((await start()).port);
  const page = await browser.fetch("/");
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const policy = page.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(page.headers.get("x-powered-by")).toBeNull();
  expect(await (await browser.fetch("/healthz")).json()).toEqual({ status: "ok" });
  const nothing = [
    "/package.json",
    "/..%2fpackage.json",
    "/sessions.json",
    "/secret",
    "/constructor",
    "/logout",
    "/login",
  ];
  expect(await Promise.all(nothing.map(async (path) => (await browser.fetch(path)).status))).toEqual(
    nothing.map(() => 404),
  );
});
