import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../support/until.js";
import { type ChaosConnection, ChaosProxy, type Weather } from "../support/chaos-proxy.js";

/**
 * The fault tests rely on the proxy. If the proxy lost bytes without being told to, every fault
 * test would be meaningless.
 */

let echo: Server;
const accepted = new Set<Socket>();
let proxy: ChaosProxy;
let lastHeard: ChaosConnection | undefined;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => accepted.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => echo.close(resolve));
});

async function start(weather: Weather = {}, seed = 1): Promise<void> {
  proxy = await ChaosProxy.start({
    to: (echo.address() as { port: number }).port,
    weather,
    seed,
    inspect: (connection) => (lastHeard = connection),
  });
}

interface Client {
  readonly socket: Socket;
  readonly heard: Buffer[];
  ended: "" | "end" | "reset";
  text(): string;
}

function dial(): Client {
  const socket = connect(proxy.port, "127.0.0.1");
  clients.push(socket);
  const client: Client = { socket, heard: [], ended: "", text: () => Buffer.concat(client.heard).toString() };
  socket.on("data", (bytes) => client.heard.push(bytes));
  socket.once("end", () => (client.ended ||= "end"));
  socket.once("error", () => (client.ended = "reset"));
  return client;
}

test("without faults the proxy forwards every byte and the end of the connection", async () => {
  await start();
  const client = dial();
  const sent = "0123456789".repeat(300_000);
  client.socket.end(sent);
  await until(() => client.ended === "end");
  expect(client.text()).toBe(sent);
  await until(() => proxy.connections.size === 0);
});

test("slicing, delaying and throttling neither lose nor reorder a byte", async () => {
  await start({ slice: 7, delayMs: 5, jitterMs: 10, throttle: 200_000 });
  const client = dial();
  const sent = Array.from({ length: 2_000 }, (_, index) => `${index};`).join("");
  const startedAt = performance.now();
  client.socket.end(sent);
  await until(() => client.ended === "end");
  expect(client.text()).toBe(sent);
  // The proxy limits each direction to 200,000 bytes per second.
  expect(performance.now() - startedAt).toBeGreaterThan((sent.length / 200_000) * 1_000);
});

test("a blackhole holds the bytes until it ends", async () => {
  await start();
  const client = dial();
  client.socket.write("a");
  await until(() => client.text() === "a");
  proxy.blackhole();
  client.socket.write("b");
  const other = dial();
  other.socket.write("c");
  await until(() => other.text() === "c");
  expect(client.text()).toBe("a");
  expect(client.ended).toBe("");
  proxy.pass();
  await until(() => client.text() === "ab");
});

test("the proxy cuts at a random byte, which the seed determines", async () => {
  const cutAt = async (seed: number): Promise<number> => {
    await start({ cutWithin: 1_000 }, seed);
    const client = dial();
    client.socket.write("x".repeat(2_000));
    await until(() => client.ended === "reset" && proxy.connections.size === 0);
    expect(client.text().length).toBeLessThan(lastHeard!.cutAt);
    await proxy.close();
    return lastHeard!.cutAt;
  };
  const first = await cutAt(7);
  expect(first).toBeLessThanOrEqual(1_000);
  expect(await cutAt(7)).toBe(first);
  expect(await cutAt(8)).not.toBe(first);
  await start();
});

test("the proxy refuses connections and cuts all or some of them", async () => {
  await start();
  const [one, two] = [dial(), dial()];
  for (const client of [one, two]) client.socket.write("hello");
  await until(() => one.text() === "hello" && two.text() === "hello");
  const first = [...proxy.connections].find(({ bytes }) => bytes > 0);
  proxy.cut((connection) => connection === first);
  await until(() => one.ended === "reset" || two.ended === "reset");
  expect([one.ended, two.ended].sort()).toEqual(["", "reset"]);
  proxy.weather = { refuse: true };
  const refused = dial();
  await until(() => refused.ended === "reset");
  proxy.cut();
  await until(() => one.ended === "reset" && two.ended === "reset");
});
