/**
 * Watchers in a process of their own, so that what they take is not counted as what the instances
 * take.
 */
import { WebSocket } from "ws";

const [port, channel, watchers, most] = process.argv.slice(2);
process.on("disconnect", () => process.exit(0));

/**
 * Rounds and when they were heard, in turns. Not a list that grows: to move it about would be
 * measured too.
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
    // To parse all of it a hundred times would be what is measured. A frame begins with its type.
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

/** `"path":["round"],"value":7` in a patch, `"round":7` in an event. */
function roundOf(text) {
  const [, patched, told] = /"path":\["round"\],"value":(\d+)|"round":(\d+)/.exec(text) ?? [];
  return Number(patched ?? told);
}

/** How many were heard; or, asked for them, all of them. */
process.on("message", (what) => {
  if (what === "count") return void process.send({ count: count / 2, closed });
  const pairs = Array.from({ length: count / 2 }, (_, index) => [heard[index * 2], heard[index * 2 + 1]]);
  process.send({ heard: pairs, bytes, snapshotBytes });
  count = 0;
  bytes = 0;
});
