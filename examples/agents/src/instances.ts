import type { Fleet } from "./fleet.js";
import type { Agent, Line } from "./protocol.js";

/** What a request about the whole fleet is answered with, wherever its agents run. */
export interface Instances {
  /** Of this instance, where there are several. */
  readonly name: string | undefined;
  list(): Promise<{ agents: Agent[]; maximum: number }>;
  /** Undefined: there is no such agent. */
  log(agentId: string): Promise<readonly Line[] | undefined>;
  stop(agentId: string): Promise<Stopping | undefined>;

  /**
   * Tells the others how things stand. Before it is published: who hears of a change and asks must
   * find it.
   */
  save(): Promise<void>;
  keepLine(agentId: string, line: Line): Promise<void>;
  forgetLines(agentId: string): Promise<void>;
  /** Gives up what is shared; the agents have ended. */
  close(): Promise<void>;
}

/** `isAway`: it runs on another instance, which could not be told. */
export interface Stopping {
  readonly agent: Agent;
  readonly isAway: boolean;
}

/** One process: the fleet is all there is, and there is nobody to tell. */
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
