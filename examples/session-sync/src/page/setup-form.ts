import { h, setAttributes } from "@holdfast/example-kit/page/dom";
import type { SyncMode } from "../protocol.js";
import { type Actions, type Model, modes } from "./model.js";
import { nameFault, namesFault, namesIn } from "./names.js";
import { oneAtATime } from "./press.js";
import { check } from "./validity.js";

/** Shows the form that sets up the session of this address, if the session does not exist. */
export function setupForm(host: HTMLElement, model: Model, actions: Actions): () => void {
  const title = h("input", { name: "title", required: true, value: "Design review" });
  const minutes = h("input", {
    name: "minutes",
    type: "number",
    required: true,
    min: 0.5,
    max: 1_440,
    step: 0.5,
    value: 5,
  });
  const names = h(
    "textarea",
    { name: "participants", rows: 4, required: true, spellcheck: "false" },
    "Ada\nGrace\nEdsger",
  );
  const choices = Object.entries(modes).map(([mode, { name, text }], index) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "mode", value: mode, checked: index === 0 }),
      h("span", {}, h("strong", {}, name), h("span", { class: "muted" }, sentence(text))),
    ),
  );
  const submit = h("button", { type: "submit", class: "button primary" }, "Set up the session");
  const form = h(
    "form",
    { class: "panel setup", "aria-labelledby": "setup-title" },
    h("h2", { id: "setup-title" }, "A new session"),
    h(
      "p",
      { class: "muted" },
      "There is no session at this address yet. Anybody with the address can watch and control it.",
    ),
    field("Title", title),
    h("fieldset", {}, h("legend", {}, "Time"), ...choices),
    field("Minutes", minutes),
    field("Participants, one per line", names),
    submit,
  );
  const create = oneAtATime(() => {
    const participants = namesIn(names.value);
    const syncMode = new FormData(form).get("mode") as SyncMode;
    const timeMs = Math.round(minutes.valueAsNumber * 60_000);
    return actions.create({ title: title.value, syncMode, timeMs, participants });
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void create();
  });
  check(title, (typed) => nameFault(typed, "Enter a title."));
  check(names, namesFault);
  host.append(form);
  return () => {
    setAttributes(host, { hidden: model.known.name !== "missing" });
    setAttributes(submit, { disabled: !model.live });
  };
}

function field(name: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "field" }, h("span", {}, name), control);
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
