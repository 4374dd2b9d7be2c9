/** Watchers in a process of their own, so that what they take is not counted as what the instances take. */
import { WebSocket } from "ws";

const [port, channel, count] = process.argv.slice(2);
process.on("disconnect", () => process.exit(0));

let heard = [];
let bytes = 0;
let snapshotBytes = 0;
let joined = 0;
const closed = [];
for (let index = 0; index < Number(count); index++) {
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
      if (++joined === Number(count)) process.send({ joined });
    } else if (/^\{"type":"(event|state_update)"/.test(text)) {
      heard.push([roundOf(text), at]);
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
  if (what === "count") return void process.send({ count: heard.length, closed });
  process.send({ heard, bytes, snapshotBytes });
  heard = [];
  bytes = 0;
});
