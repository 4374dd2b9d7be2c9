import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@holdfast/client";
import { createServer, type ServerOptions } from "@holdfast/server";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { news } from "../docs/snippets/news.js";
import { root } from "./run.mjs";

const soon = { timeout: 10_000, interval: 20 };
const config = await readFile(join(root, "docs/snippets/nginx.conf"), "utf8");
const number = (pattern: RegExp): number => Number(pattern.exec(config)![1]);
const limit = number(/limit_conn open (\d+);/);
const burst = number(/burst=(\d+) /);
const rate = number(/rate=(\d+)r\/s/);

async function freePort(): Promise<number> {
  const probe = createTcpServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

/**
 * Starts nginx with the guide's configuration. Replaces only addresses, paths and TLS; `change` may
 * replace more.
 */
async function startNginx(upstreamPort: number, change: (text: string) => string = (text) => text) {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "holdfast-nginx-"));
  const replaced = (text: string, pattern: RegExp, by: string): string => {
    expect(text).toMatch(pattern);
    return text.replace(pattern, by);
  };
  let text = replaced(config, /listen 443 ssl;/, `listen 127.0.0.1:${port};`);
  text = replaced(text, /( *ssl_certificate.*\n)+/, "");
  text = replaced(text, /server 10\.0\.0\.1:3000 .*\n.*server 10\.0\.0\.2:3000/, `server 127.0.0.1:${upstreamPort}`);
  text = replaced(text, /\/var\/log\/nginx\/access\.log/, join(folder, "access.log"));
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  // A test that connects from several networks names each network in a header, as another proxy in
  // front of nginx would do.
  const trusted = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;";
  text = replaced(text, /http \{/, `http {\n${folders.join("\n")}\n${trusted}\n`);
  await writeFile(join(folder, "nginx.conf"), change(text));

  const globals = `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn;`;
  const args = ["-p", folder, "-c", join(folder, "nginx.conf"), "-g", globals];
  const child: ChildProcess = spawn(process.env["NGINX"] ?? "nginx", args, { stdio: "pipe" });
  let output = "";
  child.stderr!.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await vi.waitFor(() => once(connect(port, "127.0.0.1"), "connect"), soon);
  } catch {
    await stop();
    throw new Error(`nginx did not start: ${output}`);
  }
  return { port, url: `ws://127.0.0.1:${port}/ws`, stop, log: () => readFile(join(folder, "access.log"), "utf8") };
}

async function startServer(options: ServerOptions<typeof news.definition, undefined> = {}) {
  const server = createServer(news, options);
  server.handle("headline.add", async ({ input }) => {
    const { duplicate } = await server.channel("headlines").publish("added", input, { idempotencyKey: input.id });
    return { isNew: !duplicate };
  });
  const { url } = await server.listen(0, { host: "127.0.0.1" });
  return { server, port: Number(new URL(url).port) };
}

/**
 * Returns the HTTP status of an upgrade: 101, or the status of nginx's refusal. The connection
 * stays open until the test ends.
 */
async function upgrade(url: string, from: string, path = ""): Promise<number> {
  const socket = new WebSocket(url + path, ["holdfast.v1.json"], { headers: { "x-test-address": from } });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode!);
      socket.terminate();
    });
  });
}

const count = (statuses: number[], status: number): number => statuses.filter((each) => each === status).length;

describe("behind nginx with the configuration of the guide", () => {
  let instance: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => void (instance = await startServer()));
  afterAll(() => instance.server.close());

  const proxy = async (change?: (text: string) => string) => {
    const nginx = await startNginx(instance.port, change);
    onTestFinished(nginx.stop);
    return nginx;
  };

  test("[RE11] an address above the connection limit receives 429, and other addresses are not affected", async () => {
    const { url, log } = await proxy();
    const statuses = await Promise.all(Array.from({ length: limit }, () => upgrade(url, "192.0.2.1", "?token=secret")));
    expect(count(statuses, 101)).toBe(limit);
    expect(await upgrade(url, "192.0.2.1")).toBe(429);
    expect(await upgrade(url, "192.0.2.2")).toBe(101);
    expect(await log()).not.toContain("secret");
  });

  test("[RE11] all addresses of one IPv6 network share a limit", async () => {
    const { url } = await proxy();
    const addresses = Array.from({ length: limit }, (_, index) => `2001:db8::${(index + 1).toString(16)}`);
    const statuses = await Promise.all(addresses.map((address) => upgrade(url, address)));
    expect(count(statuses, 101)).toBe(limit);
    expect(await upgrade(url, "2001:db8::a:b:c:d")).toBe(429);
    expect(await upgrade(url, "2001:db8:0:1::1")).toBe(101);
  });

  test("[RE11] an address that connects too often receives 429", async () => {
    const { url } = await proxy((text) => text.replace(/limit_conn open \d+;/, ""));
    const start = performance.now();
    const statuses = await Promise.all(Array.from({ length: 2 * burst }, () => upgrade(url, "192.0.2.1")));
    const passed = count(statuses, 101);
    expect(passed).toBeGreaterThanOrEqual(burst);
    expect(passed).toBeLessThanOrEqual(burst + 1 + (rate * (performance.now() - start)) / 1_000);
    expect(count(statuses, 429)).toBe(2 * burst - passed);
  });

  test("[RE12] a client sends requests and receives events, and retries after a refusal by the connection limit", async () => {
    const nginx = await proxy((text) => text.replace(/limit_conn open \d+;/, "limit_conn open 1;"));
    const retry = { minMs: 50, maxMs: 100 };
    const first = createClient(news, { url: nginx.url, retry });
    const second = createClient(news, { url: nginx.url, retry });
    onTestFinished(() => (first.disconnect(), second.disconnect()));
    const heard: string[] = [];
    first.channel("headlines").on("added", ({ id }) => void heard.push(id));
    await first.channel("headlines").join();
    expect(await first.request("headline.add", { id: nginx.url, text: "…" })).toEqual({ isNew: true });
    await vi.waitFor(() => expect(heard).toEqual([nginx.url]), soon);

    const states: string[] = [];
    second.status.subscribe((status) => void states.push("reason" in status ? status.reason.name : status.name));
    await vi.waitFor(() => expect(states).toContain("RATE_LIMITED"), soon);
    first.disconnect();
    await vi.waitFor(() => expect(second.status.get().name).toBe("ready"), soon);
  });

  test("[RE12] other paths, large headers and bodies do not reach an instance", async () => {
    const { port } = await proxy();
    const status = async (path: string, init?: RequestInit): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
    expect(await status("/readyz")).toBe(404);
    expect(await status("/ws", { headers: { "x-large": "x".repeat(9_000) } })).toBe(400);
    expect(await status("/ws", { method: "POST", body: "x".repeat(17_000) })).toBe(413);
  });
});

test("[RE12] the idle timeout is longer than the default heartbeat, so a connection that sends only heartbeats stays open", async () => {
  const timeoutMs = number(/proxy_read_timeout (\d+)s;/) * 1_000;
  expect(number(/proxy_send_timeout (\d+)s;/) * 1_000).toBe(timeoutMs);
  const quick = (text: string): string => text.replace(/proxy_(read|send)_timeout \d+s;/g, "proxy_$1_timeout 2s;");
  const ends = async (heartbeat: { intervalMs: number; timeoutMs: number }): Promise<number[]> => {
    const { server, port } = await startServer({ heartbeat });
    const nginx = await startNginx(port, quick);
    const client = createClient(news, { url: nginx.url, retry: { minMs: 50, maxMs: 100 } });
    const lost: number[] = [];
    client.status.subscribe((status) => void (status.name === "waiting" && lost.push(performance.now())));
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    client.disconnect();
    await nginx.stop();
    await server.close();
    return lost;
  };
  // The second server sends less often than the proxy tolerates. That client loses connections,
  // which proves that the first server's client survives because of the heartbeat, and not by
  // chance.
  const [kept, cut] = await Promise.all([
    ends({ intervalMs: 400, timeoutMs: 130 }),
    ends({ intervalMs: 30_000, timeoutMs: 10_000 }),
  ]);
  expect(kept).toEqual([]);
  expect(cut.length).toBeGreaterThan(0);
  const { interval_ms, timeout_ms } = await defaultHeartbeat();
  expect(interval_ms + timeout_ms).toBeLessThan(timeoutMs);
});

/**
 * Returns the heartbeat that a server with default options announces in `connected`.
 */
async function defaultHeartbeat() {
  const { server, port } = await startServer();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["holdfast.v1.json"]);
  socket.on("open", () => socket.send('{"type":"auth","data":{}}'));
  const [frame] = (await once(socket, "message")) as [Buffer];
  socket.terminate();
  await server.close();
  return (JSON.parse(frame.toString()) as { data: { heartbeat: { interval_ms: number; timeout_ms: number } } }).data
    .heartbeat;
}
