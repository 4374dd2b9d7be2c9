import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { createHttp } from "@holdfast/example-kit/http";
import { createServer, type Logger, type Server, type ServerOptions } from "@holdfast/server";
import { Fleet, type FleetOptions } from "./fleet.js";
import { type Instances, onlyInstance } from "./instances.js";
import { Metrics } from "./metrics.js";
import { announcer } from "./notices.js";
import { findPrograms } from "./programs.js";
import { agents } from "./protocol.js";
import { Publisher } from "./publisher.js";
import { Warden } from "./warden.js";

/** A fixed token is enough for an example. A real server verifies a signed token here. */
export const TOKEN = "abc123";

export interface ExampleOptions {
  port: number;
  /**
   * Loopback, because the page's token is public and allows starting programs. @default "127.0.0.1"
   */
  host?: string;
  /** The folder with the built page. */
  pageFolder: string;
  /** The working directory of the programs. */
  cwd: string;
  /** Programs to start at once, so that the page is not empty. @default none */
  startAtBoot?: readonly string[];
  fleet?: Pick<FleetOptions, "maximum" | "keepEnded" | "graceMs">;
  /**
   * The URL of Redis, if the server is one of several instances. @default none: a single process
   * without Redis
   */
  redisUrl?: string | undefined;
  /** @default silent */
  logger?: Logger;
  heartbeat?: NonNullable<ServerOptions<typeof agents.definition, undefined>["heartbeat"]>;
}

export interface Example {
  readonly port: number;
  readonly fleet: Fleet;
  readonly server: Server<typeof agents.definition, { userId: string }>;
  /** Tells the clients the reason, ends every agent and closes every connection. */
  close(reason: string): Promise<void>;
}

export async function startExample(options: ExampleOptions): Promise<Example> {
  const { redisUrl } = options;
  // Loaded on demand: without REDIS_URL the package ioredis need not be installed.
  const redis = redisUrl === undefined ? undefined : await import("./with-redis.js");
  const server = createServer(agents, {
    authenticate: ({ token }) => {
      if (token !== TOKEN) throw new Error("unknown token");
      return { userId: "demo" };
    },
    // Of all browser pages, only this server's own page may connect. Otherwise any site that a user
    // visits could control the agents.
    origins: [],
    // Lets plain WebSocket clients, such as scripts and websocat, pass the token in the URL. The
    // page sends its token in a message.
    credentials: { queryToken: true },
    ...(options.heartbeat && { heartbeat: options.heartbeat }),
    ...(options.logger && { logger: options.logger }),
    ...(redis && { broker: redis.redisBroker({ url: redisUrl!, prefix: "agents-example" }) }),
  });

  const http = await createHttp({ pageFolder: options.pageFolder, stats: () => server.stats() });
  http.listen(options.port, options.host ?? "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const instance = redis && `${hostname()}:${port}`;

  const warden = new Warden();
  const programs = await findPrograms(process.env["PATH"] ?? "");
  const publisher = new Publisher();
  const announced = announcer({ server, publisher, programs, instances: () => instances });
  const fleet = new Fleet({ cwd: options.cwd, instance, warden, listener: announced.fleet, ...options.fleet });
  const instances: Instances =
    redis && instance !== undefined
      ? new redis.RedisInstances({ url: redisUrl!, name: instance, fleet, listener: announced.others })
      : onlyInstance(fleet);
  const metrics = new Metrics(server, fleet, instance);

  server.handle("agent.list", async () => ({ ...(await instances.list()), instance }));
  server.handle("agent.programs", () => ({ programs: [...programs.list] }));
  server.handle("agent.log", async ({ input, error }) => {
    const lines = await instances.log(input.agentId);
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
  server.handle("agent.stop", async ({ input, error }) => {
    const stopping = await instances.stop(input.agentId);
    if (!stopping) throw error("UNKNOWN_AGENT", input, `There is no agent ${JSON.stringify(input.agentId)}.`);
    const { agent, isAway } = stopping;
    if (isAway) {
      const data = { ...input, instance: agent.instance };
      throw error("INSTANCE_AWAY", data, `${agent.instance}, on which it runs, does not answer.`);
    }
    return { agent };
  });
  server.attach(http, { path: "/ws" });

  for (const program of options.startAtBoot ?? []) {
    const choice = programs.choose(program);
    if (choice.ok) await fleet.start(choice.launch);
  }
  metrics.start();

  return {
    port,
    fleet,
    server,
    async close(reason) {
      metrics.stop();
      // If Redis is unreachable, some clients do not receive this event and only see the
      // connection close.
      const stopping = { reason, at: new Date(), instance };
      await server
        .channel("system-events")
        .publish("stopping", stopping)
        .catch(() => {});
      // The agents end before the connections, so that clients still receive each exit.
      await fleet.close();
      await publisher.close();
      await instances.close();
      await server.close();
      http.close();
      warden.close();
    },
  };
}
