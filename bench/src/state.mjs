/**
 * Measures how long a change of a document takes through two instances on one Redis. The document
 * has 20 KB. The time runs from the call of `update` on one instance until the watchers have
 * received the change: first a hundred watchers on the same instance, then a hundred watchers on
 * the other instance. Instances and watchers are separate processes, and all read the clock of this
 * machine.
 *
 *   npm run bench:state               200 updates per second for 10 s
 *   npm run bench:state -- 100 30     another rate, another duration in seconds
 *
 * The times depend on the machine and its load, the ratios less so. The first ratio compares an
 * update with a small event at the same rate, which takes the same way without a document. The
 * second ratio compares an update with an event that carries the whole document, which is the
 * alternative to patches. That event is sent at a twentieth of the rate, because the full rate
 * would be 400 MB per second.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { sleep, startRedis, until } from "./redis/servers.mjs";

const perSecond = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 10);
if (!(perSecond >= 20 && perSecond <= 10_000 && seconds >= 1 && seconds <= 600)) {
  console.error("usage: npm run bench:state -- [updates per second, 20 to 10000] [seconds, at most 600]");
  process.exit(2);
}
const WATCHERS = 100;
/**
 * The most events and updates that the watchers can receive before this process asks for the list.
 */
const most = perSecond * Math.max(seconds, 2) * WATCHERS;
const TARGETS = { same: 10, cross: 50 };

const redis = await startRedis();
const children = [];
const start = (file, ...args) => {
  const child = fork(file, args.map(String));
  children.push(child);
  return child;
};
const ask = async (child, question) => {
  const answer = once(child, "message", { signal: AbortSignal.timeout((seconds + 60) * 1_000) });
  child.send(question);
  return (await answer)[0];
};
const instances = [0, 1].map(() =>
  start(new URL("./state/instance.mjs", import.meta.url), `redis://127.0.0.1:${redis.port}`),
);
const ports = (await Promise.all(instances.map((instance) => once(instance, "message")))).map(([{ port }]) => port);

const measured = {};
let isSound = true;
for (const [index, place] of Object.keys(TARGETS).entries()) {
  await ask(instances[0], { kind: "set", key: place });
  const watchers = start(
    new URL("./state/watchers.mjs", import.meta.url),
    ports[index],
    `room:${place}`,
    WATCHERS,
    most,
  );
  await once(watchers, "message", { signal: AbortSignal.timeout(20_000) });
  let from = 1;
  const measure = async (kind, rate, forSeconds) => {
    const { called, refused } = await ask(instances[0], {
      kind,
      key: place,
      perSecond: rate,
      seconds: forSeconds,
      from,
    });
    from += called.length;
    const due = (called.length - refused.length) * WATCHERS;
    const hasAll = async () => (await ask(watchers, "count")).count >= due;
    await until(hasAll, 20_000).catch(() => undefined);
    const { heard, bytes, snapshotBytes } = await ask(watchers, "all");
    const { closed } = await ask(watchers, "count");
    const calledAt = new Map(called);
    if (heard.length !== due || refused.length > 0 || closed.length > 0) {
      isSound = false;
      console.log(`${place}, ${kind}: ${heard.length} of ${due} heard, refused ${refused}, closed ${closed}`);
    }
    const delays = heard.map(([round, at]) => at - calledAt.get(round));
    return { ...summary(delays), bytes: bytes / heard.length, snapshotBytes, count: called.length };
  };
  await measure("update", perSecond, 2);
  await measure("event", perSecond, 1);
  measured[place] = {
    update: await measure("update", perSecond, seconds),
    event: await measure("event", perSecond, Math.min(seconds, 5)),
    whole: await measure("whole", Math.ceil(perSecond / 20), Math.min(seconds, 5)),
  };
  watchers.kill();
  await sleep(200);
}

const { snapshotBytes } = measured.same.update;
console.log(
  `${perSecond} updates per second for ${seconds} s, ${WATCHERS} watchers, the whole document: ${snapshotBytes} bytes`,
);
let isMet = true;
for (const [place, target] of Object.entries(TARGETS)) {
  const { update, event, whole } = measured[place];
  const says = place === "same" ? "on the same instance" : "on the other instance";
  console.log(`${says}:`);
  console.log(`  an update:                    ${show(update)}`);
  console.log(`  a small event, the same rate: ${show(event)}`);
  console.log(`  the whole, ${whole.count} times:          ${show(whole)}`);
  console.log(`  ratio of an update: to a small event ${ratio(update, event)}; to the whole ${ratio(update, whole)}`);
  const ok = update.p99 <= target;
  isMet &&= ok;
  console.log(`  target: p99 at most ${target} ms: ${ok ? "met" : "MISSED"}`);
}
const share = (measured.same.update.bytes / snapshotBytes) * 100;
console.log(
  `an update takes ${measured.same.update.bytes.toFixed(0)} bytes, ${share.toFixed(1)} % of the whole document`,
);
if (!isSound) console.log("NOT EVERYTHING WAS HEARD");

for (const child of children) child.kill();
await redis.kill();
process.exit(isMet && isSound ? 0 : 1);

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), most: sorted.at(-1) ?? NaN };
}

function show({ p50, p99, most }) {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, at most ${most.toFixed(1)} ms`;
}

function ratio(one, other) {
  return `p50 ${(one.p50 / other.p50).toFixed(1)}, p99 ${(one.p99 / other.p99).toFixed(1)}`;
}
