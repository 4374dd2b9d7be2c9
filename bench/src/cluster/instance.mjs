/**
 * The instance that the measured clients connect to. The instance also repeats the messages of the
 * bare comparison.
 */
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { Redis } from "ioredis";
import { numbers } from "./protocol.mjs";

const [url] = process.argv.slice(2);
const server = createServer(numbers, { broker: redisBroker({ url }) });
const { port } = await server.listen(0);
const say = new Redis(url);
const listen = new Redis(url);
listen.on("message", (_, text) => void say.publish("bare-back", text));
await listen.subscribe("bare");
process.on("disconnect", () => process.exit(0));
process.send(port);
