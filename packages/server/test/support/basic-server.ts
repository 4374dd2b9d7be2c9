import { defineProtocol } from "@holdfast/protocol";
import { createServer, type Identity, type ServerOptions } from "@holdfast/server";
import * as z from "zod";
import { ServerHarness } from "./server-harness.js";
import { VirtualEnvironment } from "./virtual-environment.js";

/**
 * The protocol that most tests of the server use: requests, channels with and without history, and
 * one direct event.
 */
export const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.start": {
      input: z.object({ id: z.string(), at: z.date().optional() }),
      output: z.object({ startedAt: z.date() }),
      errors: { UNKNOWN_AGENT: z.object({ id: z.string() }) },
    },
    "agent.ping": { kind: "query" },
    "agent.slow": { output: z.string() },
  },
  channels: {
    updates: { events: { changed: z.object({ id: z.string(), at: z.date().optional() }) } },
    board: { key: z.uuid(), events: { moved: z.object({ x: z.number() }) } },
    log: { events: { line: z.string() }, history: { size: 16, ttlMs: 60_000 } },
    journal: { key: z.string(), events: { line: z.string() }, history: { size: 16, ttlMs: 60_000 } },
  },
  direct: { announcement: z.object({ text: z.string() }) },
});

/** Accepts the tokens `token-<userId>` and rejects every other token. */
export const authenticate = ({ token, deviceId }: { token: string; deviceId: string | undefined }): Identity => {
  const userId = /^token-(\w+)$/.exec(token)?.[1];
  if (!userId) throw new Error("unknown token");
  return { userId, deviceId };
};

/** A server with the `agents` protocol on the in-memory transport, in virtual time. */
export function basicServer<I extends Identity | undefined = undefined>(
  options: ServerOptions<typeof agents.definition, I> = {},
) {
  const environment = new VirtualEnvironment();
  const server = createServer(agents, { ...options, environment });
  return { server, environment, harness: new ServerHarness(server, environment) };
}
