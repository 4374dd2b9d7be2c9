import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The only file that both sides import, and the source of the generated reference. The page
 * downloads this file, so the file uses zod/mini and not zod: the same schemas take a quarter of
 * the bytes.
 */

const agentId = z
  .string()
  .check(z.meta({ description: "The id of an agent. Ids are never reused.", examples: ["primes-5f0c2a91"] }));
const programId = z
  .string()
  .check(z.meta({ description: "The id of a program from the list of agent.programs.", examples: ["primes"] }));
const cpuPercent = z.number().check(z.describe("100 is one fully busy core."));
const memoryBytes = z.number().check(z.meta({ description: "Resident memory.", examples: [48_300_000] }));

const program = z.object({
  id: programId,
  title: z.string().check(z.meta({ examples: ["Prime search"] })),
  description: z.string().check(z.describe("One sentence for people that describes the program.")),
  options: z
    .array(
      z.object({
        name: z.string(),
        choices: z.array(z.string()).check(z.describe("Every accepted value.")),
        default: z.string(),
      }),
    )
    .check(z.describe("The options that a client can choose at the start.")),
});
export type Program = z.output<typeof program>;

const options = z.record(z.string(), z.string()).check(
  z.meta({
    description: "The chosen values by option name. Missing options have their default.",
    examples: [{ pace: "steady" }],
  }),
);

const status = z
  .enum(["running", "stopping", "finished", "stopped", "failed", "lost"])
  .check(
    z.describe(
      "stopping: asked to end. finished: ended by itself with exit code 0. stopped: ended after it was asked to end. lost: its instance is gone. failed: ended in any other way.",
    ),
  );
export type AgentStatus = z.output<typeof status>;

const exit = z.object({
  code: z.nullable(z.int()).check(z.describe("The exit code; null when a signal ended the process.")),
  signal: z.nullable(z.string()).check(z.describe("The signal that ended the process, such as SIGTERM.")),
  at: z.date(),
});
export type Exit = z.output<typeof exit>;

const instance = z.optional(z.string()).check(
  z.meta({
    description: "The name of the server instance. Absent if there is only one instance.",
    examples: ["host-a:3001"],
  }),
);

const agent = z.object({
  id: agentId,
  program: programId,
  options,
  pid: z.int().check(z.meta({ description: "The process id in the operating system.", examples: [4711] })),
  status,
  instance,
  startedAt: z.date(),
  exit: z.optional(exit).check(z.describe("How the process ended. Absent while the process runs.")),
});
export type Agent = z.output<typeof agent>;

const line = z.object({
  number: z
    .int()
    .check(
      z.describe("The number of the line, from 1, so that a page can merge a log with live lines without duplicates."),
    ),
  stream: z.enum(["stdout", "stderr", "note"]).check(z.describe("note: a line of the server, not of the program.")),
  text: z.string().check(z.meta({ examples: ["78,498 primes up to 999,983, widest gap 114"] })),
  at: z.date(),
});
export type Line = z.output<typeof line>;

const sample = z.object({
  at: z.date(),
  instance,
  host: z.object({
    cpuPercent: z.number().check(z.describe("100 means that every core is fully busy.")),
    cores: z.int(),
    load: z.number().check(z.describe("Load average of the last minute.")),
    memoryUsedBytes: z.number(),
    memoryTotalBytes: z.number(),
  }),
  server: z.object({
    connections: z.int(),
    deliveriesPerSecond: z.number().check(z.describe("Events that the server has sent to connections.")),
  }),
  agents: z.array(z.object({ agentId, cpuPercent, memoryBytes })).check(z.describe("One entry per running process.")),
});
export type Sample = z.output<typeof sample>;

const notification = z.object({
  level: z.enum(["info", "success", "warning", "error"]),
  title: z.string(),
  text: z.string(),
  at: z.date(),
});
export type Notification = z.output<typeof notification>;

const maximum = z.int().check(z.describe("How many agents may run at once, on all instances together."));

const unknownAgent = z.object({ agentId });

export const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  description: "Agents are programs that the server runs as real processes. Clients start, watch and stop them.",

  requests: {
    "agent.list": {
      kind: "query",
      description: "Every running agent and the agents that ended last, oldest first.",
      output: z.object({ agents: z.array(agent), maximum, instance }),
    },
    "agent.programs": {
      kind: "query",
      description: "The programs that can be started. No other program can.",
      output: z.object({ programs: z.array(program) }),
    },
    "agent.log": {
      kind: "query",
      description: "The last lines of an agent. The event output of agent-updates carries the lines that follow.",
      input: z.object({ agentId }),
      output: z.object({ lines: z.array(line) }),
      errors: { UNKNOWN_AGENT: unknownAgent },
    },
    "metrics.recent": {
      kind: "query",
      description:
        "The connected instance's samples of the last two minutes, oldest first. The channel metrics carries the samples that follow.",
      output: z.object({ samples: z.array(sample) }),
    },
    "agent.start": {
      kind: "mutation",
      description: "Starts a program on the connected instance. Answers when the process runs.",
      input: z.object({ program: programId, options: z.optional(options) }),
      output: z.object({ agent }),
      errors: {
        UNKNOWN_PROGRAM: z.object({ program: z.string(), known: z.array(programId) }),
        UNKNOWN_CHOICE: z.object({ option: z.string(), choice: z.string(), allowed: z.array(z.string()) }),
        TOO_MANY_AGENTS: z.object({ maximum: z.int().check(z.describe("How many agents may run on that instance.")) }),
        START_FAILED: z.object({
          reason: z.string().check(z.describe("The operating system's code, such as EAGAIN.")),
        }),
      },
    },
    "agent.stop": {
      kind: "mutation",
      description:
        "Asks a process to end, and kills the process if it does not end in time. Stopping an ended agent changes nothing.",
      input: z.object({ agentId }),
      output: z.object({ agent }),
      errors: {
        UNKNOWN_AGENT: unknownAgent,
        INSTANCE_AWAY: z
          .object({ agentId, instance })
          .check(
            z.describe(
              "The agent runs on another instance, which does not answer. Within seconds that instance answers again, or its agents count as lost.",
            ),
          ),
      },
    },
  },

  channels: {
    "agent-updates": {
      description: "Changes and output of the agents.",
      events: {
        started: z.object({ agent }),
        statusChanged: z.object({ agentId, status }),
        exited: z.object({ agentId, status, exit }),
        output: z.object({ agentId, line }),
        removed: z.object({ agentId }),
        capacityChanged: z.object({ maximum }).check(z.describe("An instance was added or removed.")),
      },
      // A page that lost its instance reconnects within seconds. This history covers ten seconds at
      // a hundred lines per second.
      history: { size: 1_024, ttlMs: 300_000 },
    },
    metrics: {
      description:
        "The usage of the processes and the machine, once per second from each instance, read from the operating system.",
      events: { sampled: sample },
    },
    notifications: {
      description: "Notifications for people.",
      events: { posted: notification },
    },
    "system-events": {
      description: "Events of the server itself, or of the named instance.",
      events: {
        connectionsChanged: z.object({ connections: z.int(), at: z.date(), instance }),
        stopping: z.object({ reason: z.string(), at: z.date(), instance }),
      },
    },
  },
});
