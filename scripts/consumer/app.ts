/**
 * The application of the consumer check (consumer-check.mjs). The check compiles this program
 * against the packed packages, as an ESM module and as a CommonJS module, and runs both results.
 * The program uses every entry, and prints DONE if everything works.
 */
import * as cli from "@holdfast/cli";
import { createClient } from "@holdfast/client";
import { fileStorage } from "@holdfast/client/file";
import { defineProtocol, HoldfastError } from "@holdfast/protocol";
import * as describe from "@holdfast/protocol/describe";
import * as internal from "@holdfast/protocol/internal";
import * as wire from "@holdfast/protocol/wire";
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import * as testing from "@holdfast/server/testing";
import { z } from "zod";

const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": { input: z.object({ program: z.string() }), output: z.object({ startedAt: z.date() }) },
  },
  channels: {
    "agent-updates": { events: { changed: z.object({ at: z.date(), figures: z.map(z.string(), z.number()) }) } },
  },
});

const at = new Date(86_400_000);
const figures = new Map([["cpu", 0.5]]);

async function main(): Promise<void> {
  for (const [name, entry] of Object.entries({ cli, describe, internal, wire, testing }))
    check(Object.keys(entry).length > 0, `${name} exports nothing`);
  check(
    typeof fileStorage === "function" && typeof redisBroker === "function",
    "fileStorage or redisBroker is missing",
  );

  const server = createServer(agents, {
    authenticate: ({ token }) => {
      if (token !== "secret") throw new Error("wrong token");
      return { userId: "u1" };
    },
    authorize: ({ channel, key }) => channel === "agent-updates" && key === undefined,
  });
  server.handle("agent.start", ({ input }) => {
    if (input.program === "none") throw new Error("no such program");
    return { startedAt: at };
  });
  const { url, close } = await server.listen(0);

  const client = createClient(agents, { url, token: () => "secret" });
  const updates = client.channel("agent-updates");
  const arrived = new Promise<{ at: Date; figures: Map<string, number> }>((resolve) => updates.on("changed", resolve));
  await updates.join({ timeoutMs: 5_000 });

  const { delivered } = await server.channel("agent-updates").publish("changed", { at, figures });
  check(delivered === 1, `delivered to ${delivered} instead of 1`);
  const event = await arrived;
  check(event.at instanceof Date && event.at.getTime() === at.getTime(), "the Date did not arrive");
  check(event.figures instanceof Map && event.figures.get("cpu") === 0.5, "the Map did not arrive");

  const startedAt: Date = (await client.request("agent.start", { program: "primes" })).startedAt;
  check(startedAt.getTime() === at.getTime(), "the answer did not arrive");
  const refusal: unknown = await client.request("agent.start", { program: "none" }).catch((error: unknown) => error);
  check(refusal instanceof HoldfastError, "the client's error is not the HoldfastError of @holdfast/protocol");

  client.disconnect();
  await close();
  console.log("DONE");
}

/** Compiled, never run: each line must be a type error. */
export function wrong(): void {
  const server = createServer(agents);
  // @ts-expect-error `at` is a Date
  void server.channel("agent-updates").publish("changed", { at: "today", figures });
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

void main();
