import type { Program } from "../protocol.js";
import { h } from "@holdfast/example-kit/page/dom";
import type { FleetStore } from "./fleet-store.js";

export type Start = (program: string, options: Record<string, string>) => void;

/** Draws one button per program, with the program's choices beside the button. */
export function launcher(host: HTMLElement, store: FleetStore, start: Start): () => void {
  let shown: readonly Program[] = [];
  return () => {
    if (store.programs !== shown) {
      shown = store.programs;
      host.replaceChildren(...shown.map((program) => chip(program, start)));
    }
    const full = store.living().length >= store.maximum;
    for (const button of host.querySelectorAll("button")) button.disabled = full || !store.live;
    host.toggleAttribute("data-full", full);
  };
}

function chip(program: Program, start: Start): HTMLElement {
  const choices = program.options.map(({ name, choices: values, default: standard }) => {
    const select = h("select", { name, "aria-label": `${program.title}: ${name}`, title: name });
    for (const value of values) select.append(h("option", { value, selected: value === standard }, value));
    return select;
  });
  const button = h(
    "button",
    { type: "button", title: program.description, "data-program": program.id, "aria-label": `Start ${program.title}` },
    h("span", { class: "play", "aria-hidden": "true" }),
    program.title,
  );
  button.addEventListener("click", () =>
    start(program.id, Object.fromEntries(choices.map((one) => [one.name, one.value]))),
  );
  return h("div", { class: "chip" }, button, ...choices);
}
