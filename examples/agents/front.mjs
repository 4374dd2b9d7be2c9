import { connect, createServer } from "node:net";

/**
 * A load balancer in twenty lines, to try several instances: `node examples/agents/front.mjs 3001
 * 3002` listens on PORT (3000) and forwards each connection to the next port that answers. In
 * production use nginx or another load balancer (docs/guides/scaling.md). The load balancer stores
 * nothing about clients, because a client may reconnect to any instance.
 */
const ports = process.argv.slice(2).map(Number);
if (ports.length === 0 || !ports.every(Number.isInteger)) {
  console.error("usage: node examples/agents/front.mjs <port> [<port> ...]");
  process.exit(2);
}
let turn = 0;

function handOver(client, tries = ports.length) {
  const server = connect(ports[turn++ % ports.length], "127.0.0.1");
  const refused = () => (tries > 1 ? handOver(client, tries - 1) : client.destroy());
  const gone = () => server.destroy();
  server.once("error", refused);
  client.once("close", gone);
  server.once("connect", () => {
    server.off("error", refused).on("error", () => {});
    server.once("close", () => client.destroy());
    client.pipe(server).pipe(client);
  });
}

const front = createServer((client) => {
  client.on("error", () => {});
  handOver(client);
});
front.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () =>
  console.log(`In front of ${ports.join(", ")}: http://localhost:${front.address().port}`),
);
