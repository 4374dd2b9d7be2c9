import { request as httpRequest } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createServer } from "../src/create-server.js";
import type { BaseServerOptions } from "../src/options.js";
import { agents } from "./support/basic-server.js";

const made: { close(options: { graceMs: number }): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of made.splice(0)) await server.close({ graceMs: 1 });
});

async function setUp(options: BaseServerOptions) {
  const warn = vi.fn();
  const server = createServer(agents, { ...options, logger: { debug() {}, info() {}, warn, error() {} } });
  made.push(server);
  const { port } = await server.listen(0, { host: "127.0.0.1" });
  /** The HTTP status of an upgrade with these headers. PORT stands for the port of the server. */
  const upgrade = (headers: Record<string, string | string[]>): Promise<number> =>
    new Promise((resolve, reject) => {
      const filled = Object.entries(headers).flatMap(([name, values]) =>
        [values].flat().flatMap((value) => [name, value.replace("PORT", String(port))]),
      );
      const sent = httpRequest({
        port,
        host: "127.0.0.1",
        path: "/ws",
        setHost: false,
        headers: [
          ...filled,
          ...["Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13"],
          ...["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
        ] as never,
      });
      sent.on("response", (response) => resolve(response.statusCode ?? 0));
      sent.on("upgrade", (_response, socket) => {
        socket.destroy();
        resolve(101);
      });
      sent.on("error", reject);
      sent.end();
    });
  return { upgrade, warn };
}

describe("pages of the server's own origin", () => {
  test.each([
    [101, "localhost", { Host: "localhost:PORT", Origin: "http://localhost:PORT" }],
    [101, "a name below localhost", { Host: "app.localhost:PORT", Origin: "http://app.localhost:PORT" }],
    [101, "an address", { Host: "127.0.0.1:PORT", Origin: "http://127.0.0.1:PORT" }],
    [101, "an IPv6 address", { Host: "[::1]:PORT", Origin: "http://[::1]:PORT" }],
    [101, "https, terminated by a proxy", { Host: "example.com", Origin: "https://example.com" }],
    [101, "https with its port", { Host: "example.com:443", Origin: "https://example.com" }],
    [
      101,
      "http through a proxy",
      { Host: "example.com:80", Origin: "http://example.com", "X-Forwarded-For": "1.2.3.4" },
    ],
    [101, "a client that is not a page", { Host: "example.com" }],
    [403, "a name that DNS rebinding may use", { Host: "evil.example:PORT", Origin: "http://evil.example:PORT" }],
    [
      403,
      "a name that looks like an address",
      { Host: "127.0.0.1.evil.example:PORT", Origin: "http://127.0.0.1.evil.example:PORT" },
    ],
    [
      403,
      "a name that looks like localhost",
      { Host: "localhost.evil.example", Origin: "http://localhost.evil.example" },
    ],
    [403, "a page of another origin", { Host: "localhost:PORT", Origin: "http://evil.example" }],
    [403, "another port", { Host: "localhost:PORT", Origin: "http://localhost:1" }],
    [403, "http instead of https", { Host: "example.com:443", Origin: "http://example.com" }],
  ])("[HS35] %i: %s", async (status, _name, headers) => {
    const { upgrade } = await setUp({ origins: [] });
    expect(await upgrade(headers as Record<string, string>)).toBe(status);
  });

  test("[HS34] an upgrade with more than one Host header is refused with HTTP 400, whatever the options", async () => {
    for (const options of [{}, { origins: [] }, { hosts: ["localhost"] }]) {
      const { upgrade } = await setUp(options);
      expect(await upgrade({ Host: ["evil.example", "localhost:PORT"] })).toBe(400);
      expect(await upgrade({ Host: ["localhost:PORT", "localhost:PORT"] })).toBe(400);
    }
  });
});

describe("the option hosts", () => {
  test.each([
    [101, { Host: "app.example.com", Origin: "http://app.example.com" }],
    [101, { Host: "App.Example.com:8080", Origin: "http://app.example.com:8080" }],
    [101, { Host: "[::1]:3000" }],
    [421, { Host: "[::1]:3001" }],
    [421, { Host: "localhost:PORT", Origin: "http://localhost:PORT" }],
    [421, { Host: "evil.example", Origin: "http://evil.example" }],
    [421, { Host: "app.example.com.evil.example" }],
    [403, { Host: "app.example.com", Origin: "http://evil.example" }],
  ])("[HS34] %i: %o", async (status, headers) => {
    const { upgrade } = await setUp({ origins: [], hosts: ["app.example.com", "[::1]:3000"] });
    expect(await upgrade(headers as Record<string, string>)).toBe(status);
  });

  test.each([
    [101, "example.com:443", "example.com"],
    [101, "example.com:80", "Example.com"],
    [101, "example.com:443", "example.com:443"],
    [421, "example.com:443", "example.com:8443"],
    [421, "example.com:8443", "example.com"],
    [101, "[0:0:0:0:0:0:0:1]:3000", "[::1]:3000"],
    [101, "[2001:DB8::1]", "[2001:db8::1]:3000"],
    [101, "bücher.example", "xn--bcher-kva.example"],
    [421, "example.com", "example.com.evil.example"],
    [421, "example.com", "example.com@evil.example"],
    [421, "example.com", "example.com, evil.example"],
    [421, "example.com", ""],
  ])("[HS34] %i if %s is listed and Host is %s", async (status, listed, host) => {
    const { upgrade } = await setUp({ hosts: [listed] });
    expect(await upgrade({ Host: host, "X-Forwarded-Host": "example.com" })).toBe(status);
  });

  test.each([
    [101, "https://Example.com:443", "https://example.com"],
    [101, "http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"],
    [101, "https://bücher.example", "https://xn--bcher-kva.example"],
    [403, "https://example.com", "https://example.com:8443"],
    [403, "https://example.com", "https://example.com.evil.example"],
    [403, "https://example.com", "https://example.com@evil.example"],
    [403, "https://example.com", "https://example.com, https://evil.example"],
  ])("[HS36] %i if the origin %s is listed and the page is of %s", async (status, listed, origin) => {
    const { upgrade } = await setUp({ origins: [listed] });
    expect(await upgrade({ Host: "localhost:PORT", Origin: origin })).toBe(status);
  });

  test.each(["https://a:99999", "https://me@a", "https://a?b", "https://a#b", "https://a/", "https://a:x"])(
    "[HS36] `createServer` refuses the origin %s as an option, because no page has this origin",
    (origin) => {
      expect(() => createServer(agents, { origins: [origin] })).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: "origins" }),
      );
    },
  );

  test.each([["a"], "https://a", "a/b", "a b", "*.a", 1, "a:99999", "a:b", "me@a", "::1", "a:1:2", ""])(
    "[HS34] `createServer` refuses the host %o with an error that names `hosts`",
    (host) => {
      const options = { hosts: (Array.isArray(host) ? host[0] : [host]) as never };
      expect(() => createServer(agents, options)).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: "hosts" }),
      );
    },
  );
});

describe("the log line of a refused page", () => {
  test("[HS36] has the origin, the Host and a remedy for a proxy that rewrites Host", async () => {
    const { upgrade, warn } = await setUp({ origins: [] });
    await upgrade({ Host: "localhost:3000", Origin: "http://localhost:5173" });
    expect(warn).toHaveBeenCalledWith(
      {
        origin: "http://localhost:5173",
        host: "localhost:3000",
        remedy: expect.stringContaining("changeOrigin: false") as unknown,
      },
      expect.any(String),
    );
  });

  test("[HS36] has a remedy that names `hosts` if the origin of the page matches the Host", async () => {
    const { upgrade, warn } = await setUp({ origins: [] });
    await upgrade({ Host: "intranet", Origin: "http://intranet" });
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ host: "intranet", remedy: expect.stringContaining("`hosts`") as unknown }),
      expect.any(String),
    );
  });

  test("[HS36] a listed origin matches with its default port or in capitals, because browsers normalize origins", async () => {
    const { upgrade } = await setUp({ origins: ["https://App.Example.com:443"] });
    expect(await upgrade({ Host: "x", Origin: "https://app.example.com" })).toBe(101);
  });
});
