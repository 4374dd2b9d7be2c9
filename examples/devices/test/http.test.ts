import { expect, test } from "vitest";
import { Browser, loggedIn } from "./browser.js";
import { start } from "./start-example.js";

test("[DX4] a login is answered with the user, /session returns this user, and the logout ends the login", async () => {
  const browser = new Browser((await start()).port);
  expect(await browser.user()).toBeNull();
  expect(browser.cookie).toBeUndefined();

  const answer = await browser.logIn("grace");
  expect(await answer.json()).toEqual({ user: { id: "grace", name: "Grace Hopper" } });
  expect(await browser.user()).toEqual({ id: "grace", name: "Grace Hopper" });

  const { cookie } = browser;
  expect((await browser.post("/logout")).status).toBe(204);
  expect(browser.cookie).toBeUndefined();
  // A copy of the cookie is no longer valid either.
  browser.cookie = cookie;
  expect(await browser.user()).toBeNull();
});

test("[DX4] a login that is not JSON or has the wrong shape is refused and sets no cookie", async () => {
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

test("[DX4] HTTP serves the page with a strict content security policy, and answers unknown paths with 404", async () => {
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
