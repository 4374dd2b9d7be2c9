import { duration } from "@holdfast/example-kit/page/duration";
import type { Agent } from "../protocol.js";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import type { FleetStore } from "./fleet-store.js";
import { bytes, percent } from "./format.js";
import { keyedList, type Row } from "@holdfast/example-kit/page/keyed-list";
import { Sparkline } from "./sparkline.js";

const SLOTS = 60;

export interface CardActions {
  select(agentId: string): void;
  stop(agentId: string): void;
}

/** Draws one card per running agent, the newest first. */
export function fleetCards(list: HTMLElement, count: HTMLElement, store: FleetStore, actions: CardActions): () => void {
  const empty = h("p", { class: "empty" }, "No agent is running. Start a program above.");
  list.after(empty);
  const show = keyedList<Agent>(list, (agent) => new Card(agent, store, actions));
  return () => {
    const living = store.living().reverse();
    show(living);
    setAttributes(empty, { hidden: living.length > 0 || store.maximum === 0 });
    setText(count, store.maximum === 0 ? "" : `${living.length} of ${store.maximum} running`);
  };
}

class Card implements Row<Agent> {
  readonly element: HTMLElement;
  readonly #store: FleetStore;
  readonly #title = h("button", { type: "button", class: "card-title" });
  readonly #stop = h("button", { type: "button", class: "button stop" }, "Stop");
  readonly #spark = new Sparkline();
  readonly #cpu = h("dd");
  readonly #memory = h("dd");
  readonly #time = h("dd");
  readonly #line = h("p", { class: "last-line" });

  constructor(agent: Agent, store: FleetStore, actions: CardActions) {
    this.#store = store;
    this.#title.addEventListener("click", () => actions.select(agent.id));
    this.#stop.addEventListener("click", () => actions.stop(agent.id));
    // Program, process, choices and instance do not change while the agent runs.
    const where = agent.instance === undefined ? [] : [`on ${agent.instance}`];
    const facts = [`process ${agent.pid}`, ...Object.values(agent.options), ...where].join(" · ");
    this.element = h(
      "li",
      { class: "card", "data-agent": agent.id, "data-colour": store.colourOf(agent.id) },
      h("div", { class: "card-head" }, h("i", { class: "dot" }), this.#title, this.#stop),
      h("p", { class: "facts muted" }, facts),
      this.#spark.element,
      h(
        "dl",
        { class: "figures" },
        h("div", {}, h("dt", {}, "CPU"), this.#cpu),
        h("div", {}, h("dt", {}, "Memory"), this.#memory),
        h("div", {}, h("dt", {}, "Running"), this.#time),
      ),
      this.#line,
    );
  }

  show(agent: Agent): void {
    const store = this.#store;
    const title = store.titleOf(agent);
    const selected = store.selectedId === agent.id;
    setText(this.#title, title);
    setAttributes(this.#title, { "aria-pressed": String(selected) });
    setAttributes(this.element, { "data-status": agent.status, "data-selected": selected });
    const stopping = agent.status === "stopping";
    setText(this.#stop, stopping ? "Stopping" : "Stop");
    setAttributes(this.#stop, {
      disabled: stopping || !store.live,
      "aria-label": `Stop ${title}, process ${agent.pid}`,
    });

    const usage = store.usage(agent.id);
    const used = usage.at(-1);
    this.#spark.draw(
      usage.slice(-SLOTS).map((entry) => entry?.cpuPercent),
      SLOTS,
      30,
    );
    setText(this.#cpu, used ? percent(used.cpuPercent) : "–");
    setText(this.#memory, used ? bytes(used.memoryBytes) : "–");
    // Both times come from the server's clock, because the browser's clock may be wrong by minutes.
    const now = store.latest?.at ?? agent.startedAt;
    setText(this.#time, duration(now.getTime() - agent.startedAt.getTime()));
    setText(this.#line, store.log(agent.id).at(-1)?.text ?? "");
  }
}
