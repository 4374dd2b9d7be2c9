/**
 * Peers that never authenticate, in a process of their own, so that what they cost is not counted
 * as the server's. Started by `fork` and told `{ port, count, overMs, kind }`; tells when all were
 * upgraded, and stays until it is ended.
 */
import { createConnection } from "node:net";
import { goes } from "./machine.mjs";

goes("last");

/** What each may send, and sends. */
const BYTES = 65_536;
const upgrade = [
  "GET /ws HTTP/1.1",
  "Host: 127.0.0.1",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "\r\n",
].join("\r\n");

/** A frame of RFC 6455, section 5.2, masked with zeros. */
function frame(opcode, payload, announced = payload.length) {
  const header = Buffer.alloc(announced < 126 ? 2 : 10);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (announced < 126 ? announced : 127);
  if (announced >= 126) header.writeBigUInt64BE(BigInt(announced), 2);
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}
const often = (opcode, payload) =>
  Buffer.concat(Array(Math.floor(BYTES / payload.length)).fill(frame(opcode, payload)));

const attacks = {
  silence: () => Buffer.alloc(0),
  pings: () => often(1, Buffer.from('{"type":"ping"}')),
  "pings of WebSocket": () => often(9, Buffer.alloc(125, "p")),
  "a frame that never ends": () => frame(1, Buffer.alloc(BYTES - 1, "x"), BYTES),
  garbage: () => Buffer.alloc(BYTES).map((_, index) => Math.imul(index + 1, 2_654_435_761) >>> 13),
};

process.once("message", ({ port, count, overMs, kind }) => {
  const bytes = attacks[kind]();
  let upgraded = 0;
  const attack = () => {
    const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    socket.write(upgrade);
    socket.once("data", (answer) => {
      if (!answer.toString("latin1").startsWith("HTTP/1.1 101")) return;
      socket.pause(); // what the server answers stays unread
      if (bytes.length > 0) socket.write(bytes);
      if (++upgraded === count) process.send({ upgraded });
    });
  };

  const start = performance.now();
  let started = 0;
  const timer = setInterval(() => {
    // Not all at once what was missed while others had the cores: that would be another attack.
    const due = Math.min(count, started + 5, Math.ceil(((performance.now() - start) / overMs) * count));
    for (; started < due; started++) attack();
    if (started === count) clearInterval(timer);
  }, 10);
});
process.once("disconnect", () => process.exit());
