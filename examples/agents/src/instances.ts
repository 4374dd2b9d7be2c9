import type { Fleet } from "./fleet.js";
import type { Agent, Line } from "./protocol.js";

/** Answers requests about the whole fleet, including agents of other instances. */
export interface Instances {
  /** The name of this instance, if there are several. */
  readonly name: string | undefined;
  list(): Promise<{ agents: Agent[]; maximum: number }>;
  /** Resolves to undefined if no instance has the agent. */
  log(agentId: string): Promise<readonly Line[] | undefined>;
  stop(agentId: string): Promise<Stopping | undefined>;

  /**
   * Stores this instance's agents for the others. Called before a change is published, because
   * another instance may receive the change and read the state at once.
   */
  save(): Promise<void>;
  keepLine(agentId: string, line: Line): Promise<void>;
  forgetLines(agentId: string): Promise<void>;
  /** Ends this instance's lease. Called after the agents have ended. */
  close(): Promise<void>;
}

/** `isAway`: the agent runs on another instance, which could not be reached. */
export interface Stopping {
  readonly agent: Agent;
  readonly isAway: boolean;
}

/** A single process: the fleet has all agents, and there is no other instance. */
export function onlyInstance(fleet: Fleet): Instances {
  return {
    name: undefined,
    list: async () => ({ agents: fleet.list(), maximum: fleet.maximum }),
    log: async (agentId) => fleet.log(agentId),
    stop: async (agentId) => {
      const agent = fleet.stop(agentId);
      return agent && { agent, isAway: false };
    },
    save: async () => {},
    keepLine: async () => {},
    forgetLines: async () => {},
    close: async () => {},
  };
}
