/**
 * Measures how long an event takes through two instances on one Redis, under load: the time from
 * the call of `publish` on one instance until the handler of a client of the other instance runs.
 * The publisher and the clients run in this process, so one clock measures both times. The clients'
 * instance is a separate process.
 *
 *   npm run bench:cluster              1,000 events per second for 20 s, on 10 channels, each with one client
 *   npm run bench:cluster -- 2000 60   another rate, another duration in seconds
 *
 * The times depend on the machine and on other programs. Compare the printed ratio instead: the
 * same run also sends bare PUBLISH commands from one process to the other and back, and the ratio
 * says how many times as long Holdfast takes.
 */
import { createClient } from "@holdfast/client";
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { fork } from "node:child_process";
import { Redis } from "ioredis";
import { numbers } from "./cluster/protocol.mjs";
import { startRedis, sleep } from "./redis/servers.mjs";

const perSecond = Number(process.argv[2] ?? 1_000);
const seconds = Number(process.argv[3] ?? 20);
if (!(perSecond > 0 && perSecond <= 50_000 && seconds > 0 && seconds <= 600)) {
  console.error("usage: npm run bench:cluster -- [events per second, at most 50000] [seconds, at most 600]");
  process.exit(2);
}
const CHANNELS = 10;

const redis = await startRedis();
const url = `redis://127.0.0.1:${redis.port}`;
const child = fork(new URL("./cluster/instance.mjs", import.meta.url), [url]);
const port = await new Promise((resolve) => child.once("message", resolve));

const publisher = createServer(numbers, { broker: redisBroker({ url }) });
const delays = [];
const startedAt = new Map();
let heard = 0;
const clients = Array.from({ length: CHANNELS }, (_, index) => {
  const client = createClient(numbers, { url: `ws://127.0.0.1:${port}/ws` });
  const feed = client.channel("feed", `${index}`);
  feed.on("number", (number) => {
    delays.push(performance.now() - startedAt.get(number));
    heard++;
  });
  return { client, feed };
});
await Promise.all(clients.map(({ feed }) => feed.join()));

const total = perSecond * seconds;
const warmUp = Math.min(perSecond, total / 10);
let refused = 0;
const start = performance.now();
for (let number = 0; number < total;) {
  const due = Math.min(total, ((performance.now() - start) / 1_000) * perSecond);
  for (; number < due; number++) {
    startedAt.set(number, performance.now());
    publisher
      .channel("feed", `${number % CHANNELS}`)
      .publish("number", number)
      .catch(() => refused++);
  }
  await sleep(1);
}
for (const end = Date.now() + 10_000; heard < total - refused && Date.now() < end;) await sleep(10);

const bare = await bareRoundTrips(perSecond, Math.min(seconds, 5));
const measured = summary(delays.slice(warmUp));
console.log(`${total} events at ${perSecond}/s, ${heard} heard, ${refused} refused`);
console.log(`publish on one instance → client on the other instance:     ${show(measured)}`);
console.log(`a bare PUBLISH to another process and back, same rate:      ${show(bare)}`);
console.log(`ratio: p50 ${(measured.p50 / bare.p50).toFixed(1)}, p99 ${(measured.p99 / bare.p99).toFixed(1)}`);
const ok = heard === total && refused === 0 && measured.p50 <= 5 && measured.p99 <= 50;
console.log(
  ok ? "within the bounds: p50 5 ms, p99 50 ms, nothing lost" : "OUT OF BOUNDS: p50 5 ms, p99 50 ms, nothing lost",
);

for (const { client } of clients) client.disconnect();
await publisher.close({ graceMs: 0 });
child.kill();
await redis.kill();
process.exit(ok ? 0 : 1);

/**
 * Measures the network and Redis alone: the child process repeats each message of one channel on
 * another channel.
 */
async function bareRoundTrips(rate, forSeconds) {
  const say = new Redis(redis.port);
  const listen = new Redis(redis.port);
  const found = [];
  listen.on("message", (_, text) => found.push(performance.now() - Number(text)));
  await listen.subscribe("bare-back");
  const begin = performance.now();
  for (let sent = 0; sent < rate * forSeconds;) {
    const due = ((performance.now() - begin) / 1_000) * rate;
    for (; sent < due; sent++) void say.publish("bare", `${performance.now()}`);
    await sleep(1);
  }
  await sleep(500);
  say.disconnect();
  listen.disconnect();
  return summary(found);
}

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), most: sorted.at(-1) ?? NaN };
}

function show({ p50, p99, most }) {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, at most ${most.toFixed(1)} ms`;
}
