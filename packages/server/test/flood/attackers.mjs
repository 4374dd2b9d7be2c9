/**
 * Opens connections that never authenticate. The program is a separate process, so that its CPU
 * time is not counted as the server's. The test starts the program with `fork` and sends `{ port,
 * count, overMs, kind }`. The program reports when all connections are upgraded and runs until the
 * test ends.
 */
import { createConnection } from "node:net";
import { goes } from "./machine.mjs";

goes("last");

/** The number of bytes that each connection sends, unless the kind is `silence`. */
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
      socket.pause(); // the answers of the server stay unread
      if (bytes.length > 0) socket.write(bytes);
      if (++upgraded === count) process.send({ upgraded });
    });
  };

  const start = performance.now();
  let started = 0;
  const timer = setInterval(() => {
    // Start at most five connections per tick. If other processes used the cores meanwhile,
    // starting all late connections at once would be a different attack.
    const due = Math.min(count, started + 5, Math.ceil(((performance.now() - start) / overMs) * count));
    for (; started < due; started++) attack();
    if (started === count) clearInterval(timer);
  }, 10);
});
process.once("disconnect", () => process.exit());
