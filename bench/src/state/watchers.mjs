/**
 * The watchers run in a separate process, so that their work does not delay the instances.
 */
import { WebSocket } from "ws";

const [port, channel, watchers, most] = process.argv.slice(2);
process.on("disconnect", () => process.exit(0));

/**
 * Pairs of a round and the time at which the round arrived. The array has a fixed size, because a
 * list would be copied if it grew during the measurement.
 */
const heard = new Float64Array(2 * Number(most));
let count = 0;
let bytes = 0;
let snapshotBytes = 0;
let joined = 0;
const closed = [];
for (let index = 0; index < Number(watchers); index++) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  socket.on("error", (error) => closed.push(error.message));
  socket.on("close", (code) => closed.push(code));
  socket.on("message", (data) => {
    const at = performance.timeOrigin + performance.now();
    const text = Buffer.from(data).toString("utf8");
    // Parsing every frame whole in a hundred watchers would dominate the measurement. The type at
    // the beginning of the frame is enough.
    if (text.startsWith('{"type":"connected"')) {
      socket.send(JSON.stringify({ type: "subscribe", correlation_id: "1", data: { channels: [channel] } }));
    } else if (text.startsWith('{"type":"state_sync"')) {
      snapshotBytes = data.byteLength;
      if (++joined === Number(watchers)) process.send({ joined });
    } else if (/^\{"type":"(event|state_update)"/.test(text)) {
      heard[count++] = roundOf(text);
      heard[count++] = at;
      bytes += data.byteLength;
    }
  });
}

/** Finds `"path":["round"],"value":7` in a patch and `"round":7` in an event. */
function roundOf(text) {
  const [, patched, told] = /"path":\["round"\],"value":(\d+)|"round":(\d+)/.exec(text) ?? [];
  return Number(patched ?? told);
}

/**
 * Answers the parent process with the number of pairs. If the parent process asks for the list, the
 * answer has all pairs, and a new list starts.
 */
process.on("message", (what) => {
  if (what === "count") return void process.send({ count: count / 2, closed });
  const pairs = Array.from({ length: count / 2 }, (_, index) => [heard[index * 2], heard[index * 2 + 1]]);
  process.send({ heard: pairs, bytes, snapshotBytes });
  count = 0;
  bytes = 0;
});
