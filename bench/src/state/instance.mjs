/**
 * One instance of the server. On each message of the parent process, the instance changes the
 * document or publishes events, and reports the result.
 */
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { sleep } from "../redis/servers.mjs";
import { largeRoster, rosters } from "./protocol.mjs";

const [url] = process.argv.slice(2);
const server = createServer(rosters, { broker: redisBroker({ url }), heartbeat: { intervalMs: 600_000 } });
const { port } = await server.listen(0);
const roster = largeRoster();

/**
 * The measured operations. Each operation carries its number as `round`, so that the parent process
 * can look up when the operation was called.
 */
const kinds = {
  update: (key, round) =>
    server.channel("room", key).document.update((draft) => {
      draft.round = round;
      draft.participants[(round * 7) % draft.participants.length].score++;
    }),
  event: (key, round) => server.channel("room", key).publish("scored", { round, id: "participant-0007", score: round }),
  whole: (key, round) => server.channel("room", key).publish("changed", { ...roster, round }),
};

async function many({ kind, key, perSecond, seconds, from }) {
  const called = [];
  const refused = [];
  const under = new Set();
  const start = performance.now();
  const total = perSecond * seconds;
  for (let count = 0; count < total;) {
    const due = Math.min(total, ((performance.now() - start) / 1_000) * perSecond);
    for (; count < due; count++) {
      const round = from + count;
      called.push([round, performance.timeOrigin + performance.now()]);
      const doing = kinds[kind](key, round)
        .catch((error) => refused.push(error.code ?? String(error)))
        .finally(() => under.delete(doing));
      under.add(doing);
    }
    await sleep(1);
  }
  await Promise.all(under);
  return { called, refused };
}

process.on("disconnect", () => process.exit(0));
process.on("message", async (order) => {
  if (order.kind === "set") process.send(await server.channel("room", order.key).document.set(roster));
  else process.send(await many(order));
});
process.send({ port });
