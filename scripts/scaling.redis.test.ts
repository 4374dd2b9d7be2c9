import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@holdfast/client";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { news } from "../docs/snippets/news.js";

const root = new URL("..", import.meta.url);
const folder = new URL(`.artifacts/scaling-${process.pid}/`, root);
const read = (path: string): Promise<string> => readFile(new URL(path, root), "utf8");
const soon = { timeout: 25_000, interval: 50 };

/**
 * The path of the guide's instance, bundled into one program as an application's build would do.
 */
const program = fileURLToPath(new URL("instance.js", folder));

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  const source = (name: string) => fileURLToPath(new URL(`packages/${name}.ts`, root));
  await build({
    entryPoints: [fileURLToPath(new URL("docs/snippets/instance.ts", root))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "warning",
    plugins: [
      {
        name: "sources of the repository",
        setup({ onResolve }) {
          onResolve({ filter: /^@holdfast\// }, ({ path }) => {
            const [, name, entry = "index"] = path.split("/");
            return { path: source(`${name}/src/${entry}`) };
          });
        },
      },
    ],
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

/**
 * Resolves when the port accepts connections. The opened connection stays idle, as the health check
 * of a load balancer may do, and must not delay a shutdown.
 */
const accepts = (port: number) => vi.waitFor(() => once(connect(port, "127.0.0.1"), "connect"), soon);

/** Starts Redis with the guide's own configuration, and returns the url of its only user. */
async function runRedis() {
  const port = await freePort();
  const data = await mkdtemp(join(tmpdir(), "scaling-redis-"));
  const config = fileURLToPath(new URL("docs/snippets/redis.conf", root));
  let child: ChildProcess | undefined;
  const start = async () => {
    const args = [config, "--port", `${port}`, "--bind", "127.0.0.1", "--dir", data];
    child = spawn(process.env["REDIS_SERVER"] ?? "redis-server", args, { stdio: "ignore" });
    await accepts(port);
  };
  /**
   * Stops Redis gracefully. A killed Redis with this configuration may lose the last second, which
   * is not the subject of this test.
   */
  const stop = async () => {
    const gone = once(child!, "exit");
    child!.kill("SIGTERM");
    await gone;
  };
  await start();
  onTestFinished(async () => {
    await stop();
    await rm(data, { recursive: true });
  });
  return { url: `redis://holdfast:change-me@127.0.0.1:${port}`, start, stop };
}

async function runInstance(redisUrl: string, port: number) {
  const env = { ...process.env, REDIS_URL: redisUrl, PORT: String(port) };
  const child = spawn(process.execPath, [program], { env, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await accepts(port);
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  const end = async (signal: NodeJS.Signals) => {
    const gone = once(child, "exit");
    child.kill(signal);
    return ((await gone) as [number | null])[0];
  };
  return { port, status, end };
}

function reader(port: number): { client: Client<typeof news.definition>; heard: string[]; resets: string[] } {
  const client = createClient(news, { url: `ws://127.0.0.1:${port}/ws`, retry: { minMs: 100, maxMs: 500 } });
  onTestFinished(() => client.disconnect());
  const heard: string[] = [];
  const resets: string[] = [];
  client.channel("headlines").on("added", ({ id }) => void heard.push(id));
  client.channel("headlines").onReset(({ reason }) => void resets.push(reason));
  return { client, heard, resets };
}

test.each([
  ["ts", "news.ts"],
  ["ts", "instance.ts"],
  ["ts", "topologies.ts"],
  ["conf", "redis.conf"],
  ["nginx", "nginx.conf"],
  ["yaml", "kubernetes.yaml"],
])("[RE7] the guide to several instances contains the %s file %s unchanged", async (language, name) => {
  const comment = language === "ts" ? "//" : "#";
  const snippet = await read(`docs/snippets/${name}`);
  expect(await read("docs/guides/scaling.md")).toContain(`\`\`\`${language}\n${comment} ${name}\n${snippet}\`\`\``);
});

test("[RE8] two processes on a Redis with the guide's configuration deliver every event exactly once", async () => {
  const redis = await runRedis();
  const [a, b] = [await runInstance(redis.url, await freePort()), await runInstance(redis.url, await freePort())];
  const [onA, onB] = [reader(a.port), reader(b.port)];
  await Promise.all([onA, onB].map(({ client }) => client.channel("headlines").join()));
  const add = ({ client }: typeof onA, id: string) => client.request("headline.add", { id, text: "…" });

  expect(await add(onB, "1")).toEqual({ isNew: true });
  expect(await add(onA, "1")).toEqual({ isNew: false });
  await vi.waitFor(() => expect(onA.heard).toEqual(["1"]), soon);

  expect(await a.end("SIGKILL")).toBeNull();
  for (const id of ["2", "3", "4"]) await add(onB, id);
  // The client knows only one address. A new instance listens at that address next.
  const next = await runInstance(redis.url, a.port);
  await vi.waitFor(() => expect(onA.heard).toEqual(["1", "2", "3", "4"]), soon);
  expect(onB.heard).toEqual(["1", "2", "3", "4"]);
  expect(await add(onA, "4")).toEqual({ isNew: false });
  expect([onA.resets, onB.resets]).toEqual([[], []]);
  expect(await next.end("SIGTERM")).toBe(0);
});

test("[RE9] `/readyz` answers 200 only while Redis is reachable, `/healthz` answers 200 in any case, and clients stay connected", async () => {
  const redis = await runRedis();
  const { port, status } = await runInstance(redis.url, await freePort());
  const { client, heard, resets } = reader(port);
  await client.channel("headlines").join();
  await vi.waitFor(async () => expect(await status("/readyz")).toBe(200), soon);

  await redis.stop();
  await vi.waitFor(async () => expect(await status("/readyz")).toBe(503), soon);
  expect(await status("/healthz")).toBe(200);
  const refused = performance.now();
  await expect(client.request("headline.add", { id: "1", text: "…" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(performance.now() - refused).toBeLessThan(2_000);

  await redis.start();
  await vi.waitFor(async () => expect(await status("/readyz")).toBe(200), soon);
  await client.request("headline.add", { id: "2", text: "…" });
  await vi.waitFor(() => expect(heard).toEqual(["2"]), soon);
  expect([client.status.get().name, resets]).toEqual(["ready", []]);
});
