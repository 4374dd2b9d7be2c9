/**
 * Measures what 10,000 connections cost one instance and Redis: memory, descriptors and commands.
 * docs/guides/scaling.md has the figures. Memory and counts hardly depend on the load of the
 * machine. Times do, so the report gives CPU times only as ratios.
 *
 *   npm run sizing --workspace bench -- 10000        (redis-server on the PATH, or REDIS_SERVER)
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { say, sleep, startRedis } from "./redis/servers.mjs";

const connections = Number(process.argv[2] ?? 10_000);
const ROOMS = 100;
const EVENTS = 256;
const IDLE_S = 30;
const PUBLICATIONS = 3_000;

const figures = [];
const note = (what, value) => {
  figures.push([what, value]);
  console.log(`${what.padEnd(70)} ${value}`);
};
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

async function startInstance(options) {
  const child = fork(fileURLToPath(new URL("sizing-instance.mjs", import.meta.url)), [JSON.stringify(options)], {
    execArgv: ["--expose-gc"],
  });
  const next = async () => (await once(child, "message"))[0];
  const { port } = await next();
  const ask = (question) => {
    child.send(question);
    return next();
  };
  return { child, port, ask, descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length };
}

const rss = ({ child }) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))[1]);

/**
 * Opens the connection of one user. Joins the channel that all clients share and one of a hundred
 * rooms, both with history.
 */
async function connect(port, index) {
  // A single local address has too few ports for a large number of connections, so the connections
  // use eight addresses.
  const localAddress = `127.0.0.${2 + (index % 8)}`;
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["holdfast.v1.json"], {
    localAddress,
    perMessageDeflate: false,
  });
  await once(ws, "open");
  ws.send(JSON.stringify({ type: "auth", data: { token: `user-${index}` } }));
  ws.send(JSON.stringify({ type: "subscribe", data: { channels: ["news", `room:r${index % ROOMS}`] } }));
  await new Promise((resolve) => ws.on("message", (data) => data.includes("subscribe_response") && resolve()));
  ws.on("error", () => {});
  return ws;
}

async function connectAll(instance) {
  const sockets = [];
  for (let at = 0; at < connections; at += 200) {
    const count = Math.min(200, connections - at);
    sockets.push(
      ...(await Promise.all(Array.from({ length: count }, (_, index) => connect(instance.port, at + index)))),
    );
  }
  return sockets;
}

async function info(redis, section) {
  const text = await say(redis.port, "INFO", section);
  return new Map([...text.matchAll(/^([\w|]+):(.*?)\r?$/gm)].map(([, key, value]) => [key, value]));
}

/**
 * Counts the commands that the instance has sent. The commands inside a script count as one call of
 * the script.
 */
async function calls(redis) {
  const stats = await info(redis, "commandstats");
  const of = (name) => Number(/calls=(\d+)/.exec(stats.get(`cmdstat_${name}`) ?? "")?.[1] ?? 0);
  return of("evalsha") + of("publish") + of("spublish") + of("subscribe");
}
const usedMemory = async (redis) => Number((await info(redis, "memory")).get("used_memory"));

async function one(redis) {
  const instance = await startInstance({ redis: redis?.port });
  await instance.ask("collect");
  await sleep(1_000);
  const before = { rss: rss(instance), heap: await instance.ask("collect"), fds: instance.descriptors() };
  const redisBefore = redis && (await usedMemory(redis));
  const sockets = await connectAll(instance);
  await sleep(3_000);
  const heap = await instance.ask("collect");
  const label = redis ? "on Redis" : "one process";
  note(`${label}: heap per connection`, kib((heap - before.heap) / connections));
  note(`${label}: resident memory per connection`, kib((rss(instance) - before.rss) / connections));
  note(`${label}: resident memory without connections`, kib(before.rss));
  note(`${label}: descriptors per connection`, ((instance.descriptors() - before.fds) / connections).toFixed(3));
  note(`${label}: descriptors without connections`, before.fds);
  if (redis) {
    note("Redis: memory per connection", kib(((await usedMemory(redis)) - redisBefore) / connections));
    const start = await calls(redis);
    await sleep(IDLE_S * 1_000);
    const perSecond = ((await calls(redis)) - start) / IDLE_S;
    note(`Redis: commands per second of an idle instance with ${ROOMS + 1} channels`, perSecond.toFixed(2));
  }
  for (const socket of sockets) socket.terminate();
  return instance;
}

async function channelsInRedis(redis, instance) {
  const size = async () => Number(await say(redis.port, "DBSIZE"));
  for (const [events, key] of [
    [1, false],
    [EVENTS, false],
    [EVENTS, true],
  ]) {
    const [before, keysBefore] = [await usedMemory(redis), await size()];
    await instance.ask({ fill: { channels: 50, events, key, name: `${events}${key}` } });
    const each = ((await usedMemory(redis)) - before) / 50;
    const keys = ((await size()) - keysBefore) / 50;
    note(`Redis: a channel with ${events} events of 200 B${key ? ", each with a key" : ""} (${keys} keys)`, kib(each));
  }
}

async function publishing(redis, alone, shared) {
  const ratios = [];
  for (let round = 0; round < 5; round++) {
    const memory = await alone.ask({ publish: PUBLICATIONS });
    const before = await info(redis, "commandstats");
    const remote = await shared.ask({ publish: PUBLICATIONS });
    const after = await info(redis, "commandstats");
    const usec = (stats) => Number(/usec=(\d+)/.exec(stats.get("cmdstat_evalsha"))[1]);
    ratios.push({ cpu: remote / memory, redis: (usec(after) - usec(before)) / PUBLICATIONS / memory });
  }
  const median = (name) => ratios.map((ratio) => ratio[name]).sort((a, b) => a - b)[2];
  note("CPU of the instance per publication on Redis, relative to one process", median("cpu").toFixed(1));
  note("CPU of Redis per publication, relative to one process", median("redis").toFixed(2));
}

const redis = await startRedis();
const alone = await one(undefined);
const shared = await one(redis);
await channelsInRedis(redis, shared);
await publishing(redis, alone, shared);
for (const { child } of [alone, shared]) child.kill();
await redis.kill();
