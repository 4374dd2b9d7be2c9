import type { Line } from "../protocol.js";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import type { FleetStore } from "./fleet-store.js";
import { clock } from "./format.js";

/**
 * Draws the output of the selected agent. The pane follows the newest line, unless the reader has
 * scrolled up.
 */
export function logPane(host: HTMLElement, store: FleetStore): () => void {
  const title = h("h2", { id: "log-title" }, "Output");
  const count = h("span", { class: "muted" });
  const lines = h("ol", {
    class: "lines",
    role: "log",
    "aria-live": "off",
    "aria-labelledby": "log-title",
    tabindex: 0,
  });
  const jump = h("button", { type: "button", class: "button jump", hidden: true }, "Newest lines");
  host.append(h("div", { class: "section-head" }, title, count), lines, jump);

  let shownId: string | undefined;
  let shown: readonly Line[] = [];
  let following = true;

  const follow = (): void => {
    following = true;
    lines.scrollTop = lines.scrollHeight;
    setAttributes(jump, { hidden: true });
  };
  lines.addEventListener("scroll", () => {
    following = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 24;
    setAttributes(jump, { hidden: following });
  });
  jump.addEventListener("click", follow);

  return () => {
    const agent = store.selected;
    const log = agent ? store.log(agent.id) : [];
    setText(title, agent ? store.titleOf(agent) : "Output");
    setAttributes(host, { "data-colour": agent ? store.colourOf(agent.id) : undefined });
    setText(count, agent ? `output of process ${agent.pid}` : "");
    if (agent?.id === shownId && log === shown) return;

    const last = shown.at(-1)?.number ?? 0;
    // Older lines arrive if the log is loaded after live lines. Then the whole pane is laid out
    // again.
    const older = (log[0]?.number ?? 0) < (shown[0]?.number ?? 0);
    const appended = agent?.id === shownId && !older && log.some(({ number }) => number === last);
    if (appended) {
      const fresh = log.filter(({ number }) => number > last);
      lines.append(...fresh.map(row));
      while (lines.childElementCount > log.length) lines.firstElementChild?.remove();
    } else {
      lines.replaceChildren(...log.map(row));
      if (agent?.id !== shownId) following = true;
    }
    shownId = agent?.id;
    shown = log;
    if (following) follow();
  };
}

function row({ number, at, stream, text }: Line): HTMLElement {
  return h(
    "li",
    { value: number, "data-stream": stream },
    h("time", { datetime: at.toISOString() }, clock(at)),
    h("span", {}, text || " "),
  );
}
