import type { Agent, AgentStatus, Exit, Line, Program, Sample } from "../protocol.js";

/** Two minutes of samples, one per second: the period of the chart. */
export const KEPT_SAMPLES = 125;
export const KEPT_LINES = 200;
/** As many colours as agents may run on one instance. If there are more agents, colours repeat. */
const COLOURS = 8;

export interface Usage {
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/**
 * The page's state of the fleet, without any drawing. `replace` takes the server's complete list,
 * and events change the list. Events and answers arrive in the order in which the server sent them,
 * so a new list simply replaces the old one.
 */
export class FleetStore {
  readonly agents = new Map<string, Agent>();
  readonly #logs = new Map<string, Line[]>();
  readonly #colours = new Map<string, number>();
  /** The last reported usage of agents on other instances. */
  readonly #elsewhere = new Map<string | undefined, Sample["agents"]>();
  readonly #onChange: () => void;
  programs: readonly Program[] = [];
  samples: Sample[] = [];
  maximum = 0;
  /** The server instance that this page is connected to. Undefined if there is only one. */
  instance: string | undefined;
  /** True while the page is connected. The state is then current, and buttons work. */
  live = false;
  selectedId: string | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get selected(): Agent | undefined {
    return this.selectedId === undefined ? undefined : this.agents.get(this.selectedId);
  }

  get latest(): Sample | undefined {
    return this.samples.at(-1);
  }

  living(): Agent[] {
    return [...this.agents.values()].filter(({ exit }) => exit === undefined);
  }

  titleOf(agent: Agent): string {
    return this.programs.find(({ id }) => id === agent.program)?.title ?? agent.program;
  }

  colourOf(agentId: string): number {
    return this.#colours.get(agentId) ?? 0;
  }

  log(agentId: string): readonly Line[] {
    return this.#logs.get(agentId) ?? [];
  }

  /**
   * The usage of an agent over time, oldest first. Undefined for a sample that does not contain the
   * agent.
   */
  usage(agentId: string): (Usage | undefined)[] {
    return this.samples.map((sample) => sample.agents.find((entry) => entry.agentId === agentId));
  }

  select(agentId: string): void {
    this.selectedId = agentId;
    this.#onChange();
  }

  setLive(live: boolean): void {
    this.live = live;
    this.#onChange();
  }

  setPrograms(programs: readonly Program[]): void {
    this.programs = programs;
    this.#onChange();
  }

  /** Takes the server's complete list, and removes all other agents. */
  replace(agents: readonly Agent[], maximum: number, instance?: string): void {
    this.maximum = maximum;
    this.instance = instance;
    const listed = new Set(agents.map(({ id }) => id));
    for (const id of this.agents.keys()) if (!listed.has(id)) this.#forget(id);
    for (const agent of agents) this.#put(agent);
    this.#selectSomething();
    this.#onChange();
  }

  started(agent: Agent): void {
    this.#put(agent);
    this.#selectSomething();
    this.#onChange();
  }

  statusChanged(agentId: string, status: AgentStatus): void {
    this.#change(agentId, (agent) => ({ ...agent, status }));
  }

  exited(agentId: string, status: AgentStatus, exit: Exit): void {
    this.#change(agentId, (agent) => ({ ...agent, status, exit }));
  }

  removed(agentId: string): void {
    this.#forget(agentId);
    this.#selectSomething();
    this.#onChange();
  }

  /**
   * Adds lines from an event or from the log. A line that arrives twice counts once, because each
   * line has a number.
   */
  addLines(agentId: string, lines: readonly Line[]): void {
    if (!this.agents.has(agentId)) return;
    const log = this.#logs.get(agentId) ?? [];
    const known = new Set(log.map(({ number }) => number));
    const fresh = lines.filter(({ number }) => !known.has(number));
    if (fresh.length === 0) return;
    const inOrder = (log.at(-1)?.number ?? 0) < (fresh[0]?.number ?? 0);
    const joined = [...log, ...fresh];
    if (!inOrder) joined.sort((one, other) => one.number - other.number);
    this.#logs.set(agentId, joined.slice(-KEPT_LINES));
    this.#onChange();
  }

  setMaximum(maximum: number): void {
    this.maximum = maximum;
    this.#onChange();
  }

  /**
   * Each instance samples its own agents. Each sample of the page's instance becomes a point on the
   * chart, together with the latest figures of the other instances.
   */
  sampled(sample: Sample): void {
    this.#elsewhere.set(sample.instance, sample.agents);
    if (sample.instance !== this.instance) return;
    const agents = [...this.#elsewhere.values()].flat().filter(({ agentId }) => !this.agents.get(agentId)?.exit);
    this.samples = [...this.samples, { ...sample, agents }].slice(-KEPT_SAMPLES);
    this.#onChange();
  }

  /**
   * Adds the samples that the server has stored. A stored sample is ignored if the page has a
   * sample less than half a period away, because both describe the same moment, possibly measured
   * by two instances.
   */
  addSamples(samples: readonly Sample[]): void {
    const known = this.samples.map(({ at }) => at.getTime());
    const fresh = samples.filter(({ at }) => known.every((time) => Math.abs(time - at.getTime()) > 475));
    const inOrder = [...this.samples, ...fresh].sort((one, other) => one.at.getTime() - other.at.getTime());
    this.samples = inOrder.slice(-KEPT_SAMPLES);
    this.#onChange();
  }

  #put(agent: Agent): void {
    this.agents.set(agent.id, agent);
    if (this.#colours.has(agent.id)) return;
    const taken = new Set([...this.#colours.values()]);
    const free = Array.from({ length: COLOURS }, (_, colour) => colour).find((colour) => !taken.has(colour));
    this.#colours.set(agent.id, free ?? this.agents.size % COLOURS);
  }

  #change(agentId: string, change: (agent: Agent) => Agent): void {
    const agent = this.agents.get(agentId);
    // The event concerns an agent that is not on the list, so the event is older than the list.
    if (!agent) return;
    this.agents.set(agentId, change(agent));
    this.#onChange();
  }

  #forget(agentId: string): void {
    this.agents.delete(agentId);
    this.#logs.delete(agentId);
    this.#colours.delete(agentId);
  }

  #selectSomething(): void {
    if (this.selected) return;
    this.selectedId = (this.living()[0] ?? [...this.agents.values()].at(-1))?.id;
  }
}
