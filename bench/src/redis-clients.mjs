/**
 * Compares ioredis with node-redis for the work of the broker: running a script that appends and
 * publishes, receiving publications, keeping sharded subscriptions when a cluster loses a node, and
 * waiting for a server that stops answering. docs/decisions/0014 has the figures.
 *
 *   npm run redis-clients --workspace bench          (redis-server on the PATH, or REDIS_SERVER)
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { clients } from "./redis/clients.mjs";
import { say, sleep, startCluster, startRedis } from "./redis/servers.mjs";

const APPEND = `
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', 256, offset .. '-0', 'id', ARGV[1], 'body', ARGV[2])
redis.call('HSET', KEYS[1], 'id', ARGV[1])
redis.call('SPUBLISH', KEYS[3], ARGV[2])
return offset`;
const BODY = JSON.stringify({ agentId: "agent-123", status: "running", note: "x".repeat(60) });
const names = Object.keys(clients);
const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(error.message));

/**
 * Measures scripts per second, and CPU microseconds per script, with a fixed number of scripts in
 * flight.
 */
async function scripts(server, name, underWay = 200, total = 40_000) {
  const client = await clients[name].single(server.port);
  const sha = await client.load(APPEND);
  const keys = ["meta", "log", "channel"].map((part) => `{${name}}:${part}`);
  const worker = async (count) => {
    for (let index = 0; index < count; index++) await client.evalsha(sha, keys, ["id-of-22-characters-ab", BODY]);
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: underWay }, () => worker(total / underWay)));
  const perSecond = total / ((performance.now() - start) / 1_000);
  const { user, system } = process.cpuUsage(cpu);
  client.close();
  return { perSecond, microseconds: (user + system) / total };
}

/**
 * Measures publications received per second, and CPU microseconds per publication. Redis itself
 * publishes, in a script, so that publishing does not count.
 */
async function receiving(server, name, total = 200_000) {
  const client = await clients[name].single(server.port);
  let heard = 0;
  let done;
  const all = new Promise((resolve) => (done = resolve));
  await client.subscribe("{feed}", () => ++heard === total && done());
  await say(server.port, "EVAL", `for i = 1, ${total / 10} do redis.call('SPUBLISH', '{feed}', ARGV[1]) end`, 0, BODY);
  heard = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  heard = 0;
  for (let part = 0; part < 20; part++)
    await say(
      server.port,
      "EVAL",
      `for i = 1, ${total / 20} do redis.call('SPUBLISH', '{feed}', ARGV[1]) end`,
      0,
      BODY,
    );
  await Promise.race([all, sleep(15_000)]);
  const perSecond = heard / ((performance.now() - start) / 1_000);
  const { user, system } = process.cpuUsage(cpu);
  client.close();
  return { perSecond, microseconds: (user + system) / Math.max(1, heard) };
}

/**
 * Subscribes to thirty channels on three nodes and kills one node. Reports how many channels
 * receive messages again after the replica has taken over, and after how many milliseconds all of
 * them do.
 */
async function failover(name) {
  const cluster = await startCluster();
  const errors = [];
  const client = await clients[name].cluster(
    cluster.nodes.map((node) => node.port),
    errors,
  );
  const heardAt = new Map();
  const channels = Array.from({ length: 30 }, (_, index) => `{channel-${index}}`);
  for (const channel of channels) await client.subscribe(channel, () => heardAt.set(channel, Date.now()));
  await Promise.all(channels.map((channel) => client.publish(channel, "1")));
  await sleep(200);
  const before = heardAt.size;
  await cluster.nodes[0].kill();
  const killedAt = Date.now();
  let allBackMs;
  let failures = 0;
  while (Date.now() < killedAt + 15_000) {
    await Promise.all(
      channels.map((channel) =>
        Promise.race([Promise.resolve(client.publish(channel, "2")).catch(() => failures++), sleep(500)]),
      ),
    );
    await sleep(100);
    const now = Date.now();
    if (now > killedAt + 2_500 && channels.every((channel) => heardAt.get(channel) > now - 400)) {
      allBackMs = now - killedAt;
      break;
    }
  }
  const back = channels.filter((channel) => heardAt.get(channel) > Date.now() - 2_000).length;
  client.close();
  await Promise.all(cluster.nodes.slice(1).map((node) => node.kill()));
  return { before, back, allBackMs, failures, errors: errors.length };
}

/**
 * Reports how a command ends if the command is sent while the server is stopped or dead, and
 * whether the subscription receives messages again afterwards.
 */
async function silence(name) {
  const outcomes = {};
  let server = await startRedis();
  const errors = [];
  const client = await clients[name].single(server.port, errors);
  const listener = await clients[name].single(server.port, errors);
  let heard = 0;
  await listener.subscribe("{feed}", () => heard++);
  const attempt = async () => {
    const start = Date.now();
    const what = await Promise.race([
      Promise.resolve(client.publish("{feed}", "x")).then(
        () => "answered",
        (error) => `rejected (${error.message})`,
      ),
      sleep(3_000).then(() => "pending"),
    ]);
    return `${what} after ${Date.now() - start} ms`;
  };
  server.signal("SIGSTOP");
  outcomes.stopped = await attempt();
  server.signal("SIGCONT");
  await sleep(200);
  const inFlight = (server.signal("SIGSTOP"), attempt());
  await sleep(50);
  await server.kill();
  outcomes["in flight when killed"] = await inFlight;
  outcomes["sent while dead"] = await attempt();
  server = await startRedis(server.port);
  const backAt = Date.now();
  heard = 0;
  while (heard === 0 && Date.now() < backAt + 5_000) {
    await attempt();
    await sleep(50);
  }
  outcomes["subscription is back"] = heard > 0 ? `after ${Date.now() - backAt} ms` : "never";
  client.close();
  listener.close();
  await server.kill();
  return { ...outcomes, errors: errors.length };
}

/** Code that loads one of the libraries and opens a connection. */
const opening = {
  ioredis: `
    const { Redis } = await import("ioredis");
    const open = async (port) => {
      const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true });
      await client.connect();
      return client;
    };`,
  "node-redis": `
    const { createClient } = await import("redis");
    const open = (port) => createClient({ socket: { port, host: "127.0.0.1" } }).connect();`,
};

/**
 * Measures in a separate process how long the library takes to load, and how much memory the
 * library and two connections take.
 */
function weight(server, name) {
  const code = `
    const before = process.memoryUsage().rss;
    const start = performance.now();
    ${opening[name]}
    const loadMs = performance.now() - start;
    const clients = [await open(${server.port}), await open(${server.port})];
    gc();
    console.log(JSON.stringify({ loadMs, rssMb: (process.memoryUsage().rss - before) / 2 ** 20 }));
    process.exit(clients.length - 2);`;
  const options = { cwd: fileURLToPath(new URL(".", import.meta.url)) };
  return JSON.parse(
    execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", code], options).toString(),
  );
}

const round = (value) => (typeof value === "number" ? Math.round(value * 10) / 10 : value);
const rounded = (row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, round(value)]));
const chosen = process.argv.slice(2);
const wants = (part) => chosen.length === 0 || chosen.includes(part);

const server = await startRedis();
for (const [part, measure] of Object.entries({ scripts, receiving })) {
  if (!wants(part)) continue;
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  // The libraries alternate, so that the load of the machine affects both. The first round does not
  // count.
  for (let turn = 0; turn < 6; turn++)
    for (const name of names) {
      const result = await measure(server, name);
      if (turn > 0) runs[name].push(result);
    }
  const middle = (name, what) => runs[name].map((run) => run[what]).sort((a, b) => a - b)[2];
  for (const what of ["perSecond", "microseconds"])
    console.log(
      part,
      what,
      Object.fromEntries(names.map((name) => [name, Math.round(middle(name, what) * 10) / 10])),
      `${names.join(" / ")} = ${(middle(names[0], what) / middle(names[1], what)).toFixed(2)}`,
    );
}
if (wants("weight")) for (const name of names) console.log("weight", name, rounded(weight(server, name)));
await server.kill();
if (wants("silence")) for (const name of names) console.log("silence", name, await silence(name));
if (wants("failover")) for (const name of names) console.log("failover", name, await failover(name));
console.log("unhandled rejections:", unhandled.length, [...new Set(unhandled)]);
process.exit();
