import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createClient } from "@holdfast/client";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import type * as CookieSession from "../docs/snippets/cookie-session.js";
import type * as Jwt from "../docs/snippets/jwt.js";
import { agents } from "../docs/snippets/protocol.js";
import type * as Ticket from "../docs/snippets/ticket.js";

const root = new URL("..", import.meta.url);
const folder = new URL(`.artifacts/recipes-${process.pid}/`, root);
const read = (path: string): Promise<string> => readFile(new URL(path, root), "utf8");

afterAll(() => rm(folder, { recursive: true, force: true }));

async function listening(http: HttpServer): Promise<number> {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}

/** Returns a free port, which replaces the fixed port of the recipes. */
async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listening(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Runs a recipe unchanged except for its port and the given replacements. */
async function run<Recipe>(
  name: string,
  replaced: Record<string, string> = {},
): Promise<{ recipe: Recipe; port: number }> {
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  for (const file of ["protocol", name]) {
    let code = await read(`docs/snippets/${file}.ts`);
    for (const [from, to] of Object.entries({ ...replaced, 3000: String(port) })) code = code.replaceAll(from, to);
    await writeFile(new URL(`${file}.ts`, folder), code);
  }
  return { recipe: (await import(fileURLToPath(new URL(`${name}.ts`, folder)))) as Recipe, port };
}

interface Connected {
  ws: WebSocket;
  next: (type: string) => Promise<{ data: Record<string, unknown> }>;
  closed: Promise<number>;
}

/** Resolves to the status of a refused upgrade, or to the connection. */
function connect(
  url: string,
  headers: Record<string, string> = {},
  protocols: string[] = [],
): Promise<number | Connected> {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, protocols, { headers });
    const messages: { type: string; data: Record<string, unknown> }[] = [];
    ws.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString()) as (typeof messages)[number]));
    ws.on("error", () => {});
    ws.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    const closed = new Promise<number>((ended) => ws.on("close", (code) => ended(code)));
    const next: Connected["next"] = (type) =>
      vi.waitFor(() => messages.find((message) => message.type === type) ?? Promise.reject(new Error(`no ${type}`)));
    ws.on("open", () => resolve({ ws, next, closed }));
  });
}

async function opened(...to: Parameters<typeof connect>): Promise<Connected> {
  const result = await connect(...to);
  if (typeof result === "number") throw new Error(`The upgrade was answered with ${result}.`);
  return result;
}

test.each(["jwt", "cookie-session", "ticket"])(
  "[RE1] the guide contains the recipe %s unchanged, and the recipe fits a screen",
  async (name) => {
    const snippet = await read(`docs/snippets/${name}.ts`);
    expect(await read("docs/guides/authentication.md")).toContain(`\`\`\`ts\n// ${name}.ts\n${snippet}\`\`\``);
    expect(snippet.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
  },
);

describe("jwt", async () => {
  const [ours, theirs] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  const kid = "2026-11";
  let issuer: string;
  let recipe: typeof Jwt;
  let url: string;
  let fetched = 0;

  const now = (): number => Math.floor(Date.now() / 1_000);
  const token = (change: JWTPayload | { exp: undefined } | { sub: undefined } = {}, header = {}): SignJWT =>
    new SignJWT({
      iss: issuer,
      aud: "agents",
      sub: "ada",
      exp: now() + 3_600,
      ...change,
    } as JWTPayload).setProtectedHeader({ alg: "ES256", kid, ...header });

  const login = createServer(async (request, response) => {
    if (request.url === "/token") {
      // The first token expires soon, so that the client asks for a new token during the test.
      // With 3 s, the token expired before a busy machine had used it.
      response.end(await token(fetched++ === 0 ? { exp: now() + 6 } : {}).sign(ours.privateKey));
    } else response.end(JSON.stringify({ keys: [{ ...(await exportJWK(ours.publicKey)), kid, alg: "ES256" }] }));
  });

  beforeAll(async () => {
    issuer = `http://127.0.0.1:${await listening(login)}`;
    const running = await run<typeof Jwt>("jwt", { "https://login.example.com": issuer });
    recipe = running.recipe;
    url = `ws://127.0.0.1:${running.port}/ws`;
  });
  afterAll(async () => {
    recipe.client.disconnect();
    await recipe.server.close();
    login.close();
  });

  async function says(credential: string): Promise<number | Record<string, unknown>> {
    const { ws, next, closed } = await opened(url);
    ws.send(JSON.stringify({ type: "auth", data: { token: credential } }));
    const result = await Promise.race([closed, next("connected").then(({ data }) => data)]);
    ws.close();
    return result;
  }

  test("[RE2] a token of the issuer opens the connection, and the client renews the token before it expires", async () => {
    const seen: string[] = [];
    recipe.client.status.subscribe(({ name }) => seen.push(name));
    await vi.waitFor(() => expect(recipe.client.status.get().name).toBe("ready"), { timeout: 5_000 });
    const end = recipe.server.sessions()[0]!.identity.expiresAt;
    await vi.waitFor(() => expect(recipe.server.sessions()[0]!.identity.expiresAt).toBeGreaterThan(end + 60_000), {
      timeout: 10_000,
    });
    expect(fetched).toBe(2);
    expect(seen.slice(seen.indexOf("ready"))).toEqual(["ready"]);
    expect(await says(await token().sign(ours.privateKey))).toMatchObject({ user_id: "ada" });
  });

  test.each<[string, () => string | Promise<string>]>([
    ["of another issuer", () => token({ iss: "https://evil.example" }).sign(ours.privateKey)],
    ["for another audience", () => token({ aud: "billing" }).sign(ours.privateKey)],
    ["that has expired", () => token({ exp: now() - 1 }).sign(ours.privateKey)],
    ["without an expiry", () => token({ exp: undefined }).sign(ours.privateKey)],
    ["without a subject", () => token({ sub: undefined }).sign(ours.privateKey)],
    ["signed with another key", () => token().sign(theirs.privateKey)],
    [
      "that is not signed",
      () => new UnsecuredJWT({ iss: issuer, aud: "agents", sub: "ada", exp: now() + 60 }).encode(),
    ],
    [
      "signed with the public key as if it were a secret",
      async () =>
        token({}, { alg: "HS256" }).sign(new TextEncoder().encode(JSON.stringify(await exportJWK(ours.publicKey)))),
    ],
    [
      "that contains its own key",
      async () => token({}, { jwk: await exportJWK(theirs.publicKey) }).sign(theirs.privateKey),
    ],
  ])("[RE3] a token %s is refused with 4401", async (_, make) => {
    expect(await says(await make())).toBe(4401);
  });

  test("[RE3] a token that names its own key server is refused with 4401, and the server sends no request to that key server", async () => {
    let asked = 0;
    const evil = createServer(async (_request, response) => {
      asked++;
      response.end(JSON.stringify({ keys: [{ ...(await exportJWK(theirs.publicKey)), kid, alg: "ES256" }] }));
    });
    const jku = `http://127.0.0.1:${await listening(evil)}/jwks.json`;
    expect(await says(await token({}, { jku }).sign(theirs.privateKey))).toBe(4401);
    expect(asked).toBe(0);
    evil.close();
  });
});

describe("cookie session", () => {
  let recipe: typeof CookieSession;
  let port: number;
  let origin: string;
  let url: string;

  beforeAll(async () => {
    ({ recipe, port } = await run<typeof CookieSession>("cookie-session"));
    origin = `http://localhost:${port}`;
    url = `ws://localhost:${port}/ws`;
  });
  afterAll(async () => {
    await recipe.server.close();
    recipe.http.close();
  });

  const post = (path: string, cookie = "", body: object = {}): Promise<Response> =>
    fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Cookie: cookie },
      body: JSON.stringify(body),
    });

  /** Logs in and returns the cookie. */
  async function login(): Promise<string> {
    const response = await post("/login", "", { password: "correct horse" });
    expect(response.status).toBe(204);
    return response.headers.getSetCookie()[0]!.split(";")[0]!;
  }

  test("[RE4] after a login a page of the same origin opens the WebSocket, and an upgrade from another origin is refused with 403", async () => {
    expect((await post("/login", "", { password: "guess" })).status).toBe(401);
    const cookie = await login();
    const { ws, next } = await opened(url, { Cookie: cookie, Origin: origin });
    expect((await next("connected")).data).toMatchObject({ user_id: "ada" });
    ws.close();
    for (const foreign of ["https://evil.example", `${origin}.evil.example`, "null"])
      expect(await connect(url, { Cookie: cookie, Origin: foreign })).toBe(403);
    expect(await connect(url, { Cookie: cookie })).toBe(403);
    expect(await connect(url, { Cookie: `${cookie}x`, Origin: origin })).toBe(401);
  });

  test("[RE4] an upgrade without a cookie is refused with 401, or with 4401 if the client is a page, which cannot read an HTTP status", async () => {
    expect(await connect(url, { Origin: origin })).toBe(401);
    const page = createClient(agents, { url });
    await vi.waitFor(() => expect(page.status.get().name).toBe("unauthorized"));
    page.disconnect();
  });

  test("[RE5] a logout closes the sockets of that login for good, and no other sockets", async () => {
    const [cookie, other] = [await login(), await login()];
    const page = (sent: string) => {
      class PageSocket extends WebSocket {
        constructor(to: string, protocols: string[]) {
          super(to, protocols, { headers: { Cookie: sent, Origin: origin } });
        }
      }
      return createClient(agents, { url, WebSocket: PageSocket as never });
    };
    const [one, tab, elsewhere] = [page(cookie), page(cookie), page(other)];
    await vi.waitFor(() => {
      for (const client of [one, tab, elsewhere]) expect(client.status.get().name).toBe("ready");
    });

    expect((await post("/logout", cookie)).status).toBe(204);
    await vi.waitFor(() => {
      for (const client of [one, tab]) expect(client.status.get()).toMatchObject({ name: "closed" });
    });
    expect(await connect(url, { Cookie: cookie, Origin: origin })).toBe(401);
    expect(elsewhere.status.get().name).toBe("ready");
    elsewhere.disconnect();
  });

  test("[RE5] a logout also closes a socket whose upgrade carried the cookie and that has sent no message yet", async () => {
    const cookie = await login();
    const protocols = ["holdfast.v1.json", "holdfast.v1.auth"];
    const { ws, closed } = await opened(url, { Cookie: cookie, Origin: origin }, protocols);
    await post("/logout", cookie);
    ws.send(JSON.stringify({ type: "auth", data: {} }));
    // The server checks the cookie only now, when the cookie is no longer valid.
    expect(await closed).toBe(4401);
  });
});

describe("ticket", () => {
  test("[RE6] a user who is logged in over HTTP receives a ticket, which opens one connection", async () => {
    const { recipe, port } = await run<typeof Ticket>("ticket");
    const made: string[] = [];
    vi.stubGlobal(
      "WebSocket",
      class extends WebSocket {
        constructor(url: string) {
          super(url);
          made.push(url);
        }
      },
    );
    const ws = (await recipe.connect()) as unknown as WebSocket;
    const first = await new Promise<string>((resolve) =>
      ws.once("message", (data: Buffer) => resolve(data.toString())),
    );
    expect(JSON.parse(first)).toMatchObject({ type: "connected", data: { user_id: "ada" } });
    expect(await connect(made[0]!)).toBe(401);
    expect((await fetch(`http://127.0.0.1:${port}/ticket`, { method: "POST" })).status).toBe(401);
    ws.close();
    vi.unstubAllGlobals();
    await recipe.server.close();
    recipe.http.close();
  });
});
