// @vitest-environment jsdom
import type { ClientMessage } from "@holdfast/protocol";
import { ws } from "msw";
import { setupServer } from "msw/node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createClient, type Status } from "../src/index.js";
import { agents } from "./support/agents.js";
import { connected } from "./support/behaviours.js";

/**
 * The environment of a page: a document, the global WebSocket (msw replaces the class after the
 * client was loaded), and no Node.
 */
const agentsWs = ws.link("wss://agents.test/ws");
const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterAll(() => server.close());

test("[CN3] [RC5] [RC7] a client on a page is rate limited with a hint, then refused once, sends a new token, and becomes ready", async () => {
  const seen = { connections: [] as number[], tokens: [] as string[], urls: [] as string[] };
  server.use(
    agentsWs.addEventListener("connection", ({ client: peer }) => {
      seen.connections.push(Date.now());
      seen.urls.push(peer.url.href);
      const nth = seen.connections.length;
      if (nth === 1) return peer.close(4429, '{"retryAfterMs":300}');
      peer.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data as string) as ClientMessage;
        if (message.type !== "auth") return;
        seen.tokens.push(message.data.token!);
        if (nth === 2) return peer.close(4401, "expired");
        peer.send(JSON.stringify({ type: "auth_response", data: { success: true } }));
        peer.send(JSON.stringify(connected()));
      });
    }),
  );

  let calls = 0;
  const client = createClient(agents, {
    url: "https://agents.test/ws",
    token: () => `token-${++calls}`,
    retry: { minMs: 1, maxMs: 20 },
  });
  const statuses: Status[] = [];
  client.status.subscribe((status) => statuses.push(status));
  await vi.waitUntil(() => client.status.get().name === "ready", { timeout: 5_000 });

  expect(seen.connections).toHaveLength(3);
  expect(calls).toBe(3);
  expect(seen.tokens).toEqual(["token-2", "token-3"]);
  expect(seen.urls).toEqual(Array.from({ length: 3 }, () => "wss://agents.test/ws"));
  const waiting = statuses.find((status) => status.name === "waiting");
  expect(waiting).toMatchObject({ attempt: 1, reason: { name: "RATE_LIMITED", code: 4429 } });
  expect(seen.connections[1]! - seen.connections[0]!).toBeGreaterThanOrEqual(300);
  client.disconnect();
  expect(client.status.get().name).toBe("closed");
});

test("[RC13] when the page becomes visible, the client starts the pending attempt", async () => {
  let connections = 0;
  server.use(
    agentsWs.addEventListener("connection", ({ client: peer }) => {
      connections++;
      if (connections === 1) return peer.close(1011);
      peer.send(JSON.stringify(connected()));
    }),
  );
  const environment = { random: () => 0.02 };
  const client = createClient(agents, {
    url: "wss://agents.test/ws",
    retry: { minMs: 600_000, maxMs: 600_000 },
    environment,
  });
  await vi.waitUntil(() => client.status.get().name === "waiting");
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.waitUntil(() => client.status.get().name === "ready", { timeout: 5_000 });
  expect(connections).toBe(2);
  client.disconnect();
});
