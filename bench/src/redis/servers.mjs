// Starts Redis servers on free ports for a measurement, and stops them after the measurement.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env.REDIS_SERVER ?? "redis-server";
const running = new Set();
process.on("exit", () => {
  for (const server of running) server.kill();
});

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port) {
  for (const end = Date.now() + 5_000; Date.now() < end; await sleep(5)) {
    const socket = connect(port, "127.0.0.1");
    const up = await new Promise((resolve) =>
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
    );
    socket.destroy();
    if (up) return;
  }
  throw new Error(`redis-server did not start on ${port}`);
}

export async function startRedis(port, extra = []) {
  port ??= await freePort();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  const options = ["--save", "", "--appendonly", "no", "--loglevel", "warning", "--bind", "127.0.0.1"];
  const child = spawn(binary, ["--port", `${port}`, "--dir", folder, ...options, ...extra], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const server = {
    port,
    signal: (name) => child.kill(name),
    async kill() {
      running.delete(server);
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  running.add(server);
  await answers(port);
  return server;
}

/** Starts a cluster of three masters, each with one replica. */
export async function startCluster(nodeTimeoutMs = 1_000) {
  const extra = [
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    `${nodeTimeoutMs}`,
    "--cluster-replica-validity-factor",
    "0",
  ];
  const nodes = [];
  for (let index = 0; index < 6; index++) {
    const [port, bus] = [await freePort(), await freePort()];
    nodes.push(Object.assign(await startRedis(port, [...extra, "--cluster-port", `${bus}`]), { bus }));
  }
  const [first, ...others] = nodes;
  for (const [index, node] of nodes.slice(0, 3).entries()) {
    const from = Math.floor((16_384 / 3) * index);
    const to = Math.floor((16_384 / 3) * (index + 1)) - 1;
    await say(node.port, "CLUSTER", "ADDSLOTSRANGE", from, to);
    await say(node.port, "CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }
  for (const node of others) await say(first.port, "CLUSTER", "MEET", "127.0.0.1", node.port, node.bus);
  await until(async () => await everywhere(nodes, /cluster_known_nodes:6/));
  for (const [index, node] of nodes.slice(3).entries()) {
    const master = await say(nodes[index].port, "CLUSTER", "MYID");
    await until(async () => (await say(node.port, "CLUSTER", "REPLICATE", master)).startsWith("OK"));
  }
  await until(async () => await everywhere(nodes, /cluster_state:ok/));
  return { nodes, kill: () => Promise.all(nodes.map((node) => node.kill())) };
}

const everywhere = async (nodes, pattern) =>
  (await Promise.all(nodes.map((node) => say(node.port, "CLUSTER", "INFO")))).every((text) => pattern.test(text));

export async function until(holds, limitMs = 20_000) {
  for (const end = Date.now() + limitMs; Date.now() < end; await sleep(20)) if (await holds()) return;
  throw new Error("the condition did not become true in time");
}

/**
 * Sends one command and returns the answer as a string. Uses no client library, because the client
 * libraries are being measured.
 */
export function say(port, ...words) {
  const socket = connect(port, "127.0.0.1");
  const parts = words.map((word) => `$${Buffer.byteLength(`${word}`)}\r\n${word}\r\n`);
  socket.write(`*${words.length}\r\n${parts.join("")}`);
  return new Promise((resolve, reject) => {
    socket.once("error", reject).once("data", (bytes) => {
      socket.destroy();
      resolve(
        bytes
          .toString()
          .replace(/^([+:-]|\$\d+\r\n)/, "")
          .trim(),
      );
    });
  });
}
