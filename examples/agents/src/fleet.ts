import { randomUUID } from "node:crypto";
import { AgentLog } from "./agent-log.js";
import { AgentProcess } from "./agent-process.js";
import type { Launch } from "./programs.js";
import type { Agent, Exit, Line } from "./protocol.js";

/** Receives the events of the fleet, in the order in which they happen. */
export interface FleetListener {
  started(agent: Agent): void;
  statusChanged(agent: Agent): void;
  output(agent: Agent, line: Line): void;
  exited(agent: Agent, exit: Exit): void;
  removed(agent: Agent): void;
}

export interface FleetOptions {
  /** The working directory of the programs. */
  cwd: string;
  /** The name of this instance, if there are several. */
  instance?: string | undefined;
  listener: FleetListener;
  /** Learns of every process, so that no process outlives the server. */
  warden: { watch(pid: number): void; release(pid: number): void };
  /** How many agents may run at once. @default 8 */
  maximum?: number;
  /** How many ended agents are still shown. @default 6 */
  keepEnded?: number;
  /** The time from SIGTERM to SIGKILL, in milliseconds. @default 3000 */
  graceMs?: number;
}

export type Started =
  | { readonly ok: true; readonly agent: Agent }
  | {
      readonly ok: false;
      readonly code: "TOO_MANY_AGENTS";
      readonly message: string;
      readonly data: { maximum: number };
    }
  | { readonly ok: false; readonly code: "START_FAILED"; readonly message: string; readonly data: { reason: string } };

interface Member {
  agent: Agent;
  readonly process: AgentProcess;
  readonly log: AgentLog;
}

/** Starts and stops agents. Lists the running agents and the agents that ended last. */
export class Fleet {
  readonly maximum: number;
  readonly #options: FleetOptions;
  readonly #members = new Map<string, Member>();
  /** The number of processes that are being started. They count towards the maximum. */
  #starting = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.maximum = options.maximum ?? 8;
  }

  /** Oldest first. */
  list(): Agent[] {
    return [...this.#members.values()].map(({ agent }) => agent);
  }

  living(): Agent[] {
    return this.list().filter(({ exit }) => exit === undefined);
  }

  log(agentId: string): readonly Line[] | undefined {
    return this.#members.get(agentId)?.log.lines;
  }

  async start(launch: Launch): Promise<Started> {
    if (this.living().length + this.#starting >= this.maximum) {
      const message = `Only ${this.maximum} agents may run at once. Stop one first.`;
      return { ok: false, code: "TOO_MANY_AGENTS", message, data: { maximum: this.maximum } };
    }
    const id = `${launch.program}-${randomUUID().slice(0, 8)}`;
    const { listener, warden, cwd, graceMs } = this.#options;
    const log = new AgentLog((line) => {
      const member = this.#members.get(id);
      if (member) listener.output(member.agent, line);
    });
    this.#starting++;
    let process: AgentProcess;
    try {
      process = await AgentProcess.start(launch, {
        cwd,
        ...(graceMs !== undefined && { graceMs }),
        onLine: (stream, text) => log.write(stream, text),
        onExit: (code, signal) => this.#ended(id, code, signal),
      });
    } catch (error) {
      const reason = codeOf(error);
      return {
        ok: false,
        code: "START_FAILED",
        message: `The process could not start: ${reason}.`,
        data: { reason },
      };
    } finally {
      this.#starting--;
    }
    warden.watch(process.pid);
    const agent: Agent = {
      id,
      program: launch.program,
      options: launch.options,
      pid: process.pid,
      status: "running",
      instance: this.#options.instance,
      startedAt: new Date(),
    };
    this.#members.set(id, { agent, process, log });
    listener.started(agent);
    return { ok: true, agent };
  }

  /**
   * Asks a running agent to end. Returns the agent, or undefined if the fleet has no agent with
   * this id.
   */
  stop(agentId: string): Agent | undefined {
    const member = this.#members.get(agentId);
    if (member?.agent.status === "running") {
      this.#change(member, { ...member.agent, status: "stopping" });
      member.process.stop();
    }
    return member?.agent;
  }

  /** Ends every agent. Resolves after the last agent has ended. */
  async close(): Promise<void> {
    const living = this.living();
    if (living.length === 0) return;
    const empty = new Promise<void>((resolve) => (this.#whenEmpty = resolve));
    for (const { id } of living) this.stop(id);
    await empty;
  }

  #ended(id: string, code: number | null, signal: NodeJS.Signals | null): void {
    const member = this.#members.get(id);
    if (!member) return;
    const { listener, warden } = this.#options;
    warden.release(member.process.pid);
    const exit: Exit = { code, signal, at: new Date() };
    const status = member.agent.status === "stopping" ? "stopped" : code === 0 ? "finished" : "failed";
    member.log.note(signal === null ? `ended with exit code ${code}` : `ended by ${signal}`);
    this.#change(member, { ...member.agent, status, exit });
    listener.exited(member.agent, exit);
    this.#forgetOldest();
    if (this.living().length === 0) this.#whenEmpty?.();
  }

  #change(member: Member, agent: Agent): void {
    member.agent = agent;
    this.#options.listener.statusChanged(agent);
  }

  #forgetOldest(): void {
    const ended = this.list().filter(({ exit }) => exit !== undefined);
    ended.sort((one, other) => (one.exit?.at.getTime() ?? 0) - (other.exit?.at.getTime() ?? 0));
    for (const agent of ended.slice(0, Math.max(0, ended.length - (this.#options.keepEnded ?? 6)))) {
      this.#members.delete(agent.id);
      this.#options.listener.removed(agent);
    }
  }
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unknown";
}
