/**
 * A well-behaved client that connects, authenticates and leaves `count` times within `overMs`, and
 * reports how long each handshake took. The client is a separate process, so that the times are
 * those of the server and not of the attackers. If the server or the client waited for a core, the
 * longer of the two waits is subtracted, because both may have waited at the same time.
 */
import { WebSocket } from "ws";
import { goes, waitedMs } from "./machine.mjs";

goes("first");

const handshake = (url, server) =>
  new Promise((resolve, reject) => {
    const clock = () => [performance.now(), waitedMs(server), waitedMs(process.pid)];
    const start = clock();
    const socket = new WebSocket(url, ["holdfast.v1.json"]);
    socket.once("open", () => socket.send('{"type":"auth","data":{"token":"token-u1"}}'));
    socket.once("error", reject);
    socket.once("close", (code) => reject(new Error(`closed with ${code}`)));
    socket.addEventListener("message", ({ data }) => {
      if (JSON.parse(data).type !== "connected") return;
      const [tookMs, serverMs, visitorMs] = clock().map((now, index) => now - start[index]);
      resolve(tookMs - Math.max(serverMs, visitorMs));
      socket.close();
    });
  });

process.on("message", ({ url, server, count, overMs }) => {
  const visits = Array.from({ length: count }, (_, index) =>
    new Promise((resolve) => setTimeout(resolve, (index * overMs) / count)).then(() => handshake(url, server)),
  );
  Promise.all(visits).then(
    (tookMs) => process.send({ tookMs }),
    (error) => process.send({ error: String(error) }),
  );
});
process.once("disconnect", () => process.exit());
