// Measures the CPU time that one delivery costs the server, compared with a loop over `ws.send`. If
// other programs run, absolute times say little, so the report compares rounds that directly follow
// each other.
//
//   npm run build && npm run fan-out --workspace bench
import { fork } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

const SCENARIOS = [
  { subscribers: 100, burst: 1, deliveries: 50_000 },
  { subscribers: 100, burst: 20, deliveries: 200_000 },
  { subscribers: 1_000, burst: 1, deliveries: 50_000 },
  { subscribers: 1_000, burst: 20, deliveries: 200_000 },
];
const ROUNDS = 5;
const MARK = Buffer.from('"index":');

for (const { subscribers, burst, deliveries } of SCENARIOS) {
  const ratios = [];
  const costs = { "ws-naive": [], holdfast: [] };
  const runs = { "ws-naive": await start("ws-naive", subscribers), holdfast: await start("holdfast", subscribers) };
  for (const run of Object.values(runs)) await run.measure(burst, deliveries / 5); // warm-up
  for (let round = 0; round < ROUNDS; round++) {
    const naive = await runs["ws-naive"].measure(burst, deliveries);
    const ours = await runs.holdfast.measure(burst, deliveries);
    costs["ws-naive"].push(naive);
    costs.holdfast.push(ours);
    ratios.push(naive / ours);
  }
  for (const run of Object.values(runs)) run.stop();
  const [low, middle, high] = spread(ratios);
  console.log(
    `${subscribers} subscribers, bursts of ${burst}: ws-naive ${spread(costs["ws-naive"])[1].toFixed(2)} µs, ` +
      `holdfast ${spread(costs.holdfast)[1].toFixed(2)} µs of CPU per delivery; ` +
      `ratio ${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
  );
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
}

async function start(contender, subscribers) {
  const server = fork(fileURLToPath(new URL("contenders.mjs", import.meta.url)), [contender]);
  const answer = (name) =>
    new Promise((resolve) => {
      const listen = (message) => {
        if (!(name in message)) return;
        server.off("message", listen);
        resolve(message[name]);
      };
      server.on("message", listen);
    });
  const port = await answer("port");
  const receivers = await Promise.all(Array.from({ length: subscribers }, () => receive(port)));
  const ask = (question) => {
    const answered = answer(question);
    server.send({ ask: question });
    return answered;
  };
  while ((await ask("subscribers")) < subscribers);
  return {
    /**
     * Measures the microseconds of server CPU time per delivery. A burst starts when the receivers
     * have counted every delivery of the previous burst.
     */
    async measure(burst, deliveries) {
      const bursts = Math.ceil(deliveries / subscribers / burst);
      await ask("cpu");
      for (let round = 0; round < bursts; round++) {
        const arrived = Promise.all(receivers.map((receiver) => receiver.expect(burst)));
        server.send({ ask: "publish", burst });
        await arrived;
      }
      return (await ask("cpu")) / (bursts * burst * subscribers);
    },
    stop() {
      for (const receiver of receivers) receiver.socket.destroy();
      server.kill();
    },
  };
}

/** The cheapest possible receiver: a TCP socket that counts how often a mark occurs in its data. */
async function receive(port) {
  const socket = connect(port, "127.0.0.1");
  socket.write(
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  await new Promise((resolve) => socket.once("data", resolve));
  const text = Buffer.from('{"type":"subscribe","data":{"channels":["updates"]}}');
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));

  let outstanding = 0;
  let resolve = () => {};
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (let found = data.indexOf(MARK); found >= 0; found = data.indexOf(MARK, at)) {
      at = found + MARK.length;
      outstanding--;
    }
    // The end of a chunk may cut a mark in two.
    rest = data.subarray(Math.max(at, data.length - MARK.length + 1));
    if (outstanding === 0) resolve();
  });
  return {
    socket,
    expect(count) {
      outstanding = count;
      return new Promise((done) => (resolve = done));
    },
  };
}
