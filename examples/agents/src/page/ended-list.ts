import { duration } from "@holdfast/example-kit/page/duration";
import type { Agent } from "../protocol.js";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import type { FleetStore } from "./fleet-store.js";
import { clock } from "./format.js";
import { keyedList } from "@holdfast/example-kit/page/keyed-list";
import type { Start } from "./launcher.js";

export interface EndedActions {
  select(agentId: string): void;
  start: Start;
}

/**
 * Draws the ended agents, the latest first: how each agent ended, and buttons that open its log and
 * start its program again.
 */
export function endedList(section: HTMLElement, store: FleetStore, actions: EndedActions): () => void {
  const list = h("ul", { class: "ended" });
  section.append(h("h2", {}, "Ended"), list);

  const show = keyedList<Agent>(list, (agent) => {
    const title = h("button", { type: "button", class: "card-title" });
    title.addEventListener("click", () => actions.select(agent.id));
    const again = h("button", { type: "button", class: "button again" }, "Again");
    // Starts on the instance that this page is connected to, because the agent's own instance may
    // be gone.
    again.addEventListener("click", () => actions.start(agent.program, { ...agent.options }));
    const how = h("span", { class: "badge" }, howItEnded(agent));
    const at = agent.exit?.at ?? agent.startedAt;
    const lived = duration(at.getTime() - agent.startedAt.getTime());
    const element = h(
      "li",
      { "data-agent": agent.id, "data-status": agent.status },
      title,
      h(
        "span",
        { class: "muted facts" },
        h("time", { datetime: at.toISOString() }, `${clock(at)} · `),
        `after ${lived}`,
      ),
      how,
      again,
    );
    return {
      element,
      show() {
        const selected = store.selectedId === agent.id;
        setText(title, store.titleOf(agent));
        setAttributes(title, { "aria-pressed": String(selected) });
        setAttributes(element, { "data-selected": selected });
        const full = store.living().length >= store.maximum;
        setAttributes(again, {
          disabled: full || !store.live,
          "aria-label": `Start ${store.titleOf(agent)} again`,
        });
      },
    };
  });

  return () => {
    const ended = [...store.agents.values()].filter(({ exit }) => exit !== undefined);
    ended.sort((one, other) => (other.exit?.at.getTime() ?? 0) - (one.exit?.at.getTime() ?? 0));
    show(ended);
    setAttributes(section, { hidden: ended.length === 0 });
  };
}

function howItEnded({ status, exit }: Agent): string {
  if (status !== "failed" || !exit) return status;
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal;
}
