import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type ServerOptions } from "@holdfast/server";
import { Fleet, type FleetOptions } from "./fleet.js";
import { createHttp } from "./http.js";
import { Metrics } from "./metrics.js";
import { announcer } from "./notices.js";
import { findPrograms } from "./programs.js";
import { agents } from "./protocol.js";
import { Warden } from "./warden.js";

/** Enough for an example that anyone may try; a real server verifies a signed token here. */
export const TOKEN = "abc123";

export interface ExampleOptions {
  port: number;
  /** Loopback, because whoever knows the token of this page may start programs. @default "127.0.0.1" */
  host?: string;
  /** The folder with the built page. */
  pageFolder: string;
  /** The folder the programs work on. */
  cwd: string;
  /** Programs to start with, so that there is something to see. @default none */
  startAtBoot?: readonly string[];
  fleet?: Pick<FleetOptions, "maximum" | "keepEnded" | "graceMs">;
  heartbeat?: NonNullable<ServerOptions<typeof agents.definition, undefined>["heartbeat"]>;
}

export interface Example {
  readonly port: number;
  readonly fleet: Fleet;
  readonly server: Server<typeof agents.definition, { userId: string }>;
  /** Tells the clients why, ends every agent and closes every connection. */
  close(reason: string): Promise<void>;
}

export async function startExample(options: ExampleOptions): Promise<Example> {
  const server = createServer(agents, {
    authenticate: ({ token }) => {
      if (token !== TOKEN) throw new Error("unknown token");
      return { userId: "demo" };
    },
    // Only this server's own page: another site's must not steer the agents of whoever visits it.
    origins: [],
    // For the plain WebSocket clients: scripts, websocat. The page sends its token in a message.
    credentials: { queryToken: true },
    ...(options.heartbeat && { heartbeat: options.heartbeat }),
  });

  const warden = new Warden();
  const programs = await findPrograms(process.env["PATH"] ?? "");
  const fleet = new Fleet({ cwd: options.cwd, warden, listener: announcer(server, programs), ...options.fleet });
  const metrics = new Metrics(server, fleet);

  server.handle("agent.list", () => ({ agents: fleet.list(), maximum: fleet.maximum }));
  server.handle("agent.programs", () => ({ programs: [...programs.list] }));
  server.handle("agent.log", ({ input, error }) => {
    const lines = fleet.log(input.agentId);
    if (!lines) throw error("UNKNOWN_AGENT", input, `There is no agent ${JSON.stringify(input.agentId)}.`);
    return { lines: [...lines] };
  });
  server.handle("metrics.recent", () => ({ samples: metrics.recent }));
  server.handle("agent.start", async ({ input, error }) => {
    const choice = programs.choose(input.program, input.options);
    if (!choice.ok) throw error(choice.code, choice.data, choice.message);
    const started = await fleet.start(choice.launch);
    if (!started.ok) throw error(started.code, started.data, started.message);
    return { agent: started.agent };
  });
  server.handle("agent.stop", ({ input, error }) => {
    const agent = fleet.stop(input.agentId);
    if (!agent) throw error("UNKNOWN_AGENT", input, `There is no agent ${JSON.stringify(input.agentId)}.`);
    return { agent };
  });

  const http = await createHttp({ pageFolder: options.pageFolder, stats: () => server.stats() });
  server.attach(http, { path: "/ws" });
  http.listen(options.port, options.host ?? "127.0.0.1");
  await once(http, "listening");

  for (const program of options.startAtBoot ?? []) {
    const choice = programs.choose(program);
    if (choice.ok) await fleet.start(choice.launch);
  }
  metrics.start();

  return {
    port: (http.address() as AddressInfo).port,
    fleet,
    server,
    async close(reason) {
      metrics.stop();
      await server.channel("system-events").publish("stopping", { reason, at: new Date() });
      // The agents first: their clients are still there to see how they end.
      await fleet.close();
      await server.close();
      http.close();
      warden.close();
    },
  };
}
