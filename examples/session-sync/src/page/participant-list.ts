import { duration } from "@holdfast/example-kit/page/duration";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import { keyedList, type Row } from "@holdfast/example-kit/page/keyed-list";
import { MOST_PARTICIPANTS, type Participant, type SessionState } from "../protocol.js";
import { comingMs, usedMs } from "../session-time.js";
import { countdown } from "./format.js";
import type { Actions, Model } from "./model.js";
import { nameFault } from "./names.js";
import { oneAtATime, onPress } from "./press.js";
import { check } from "./validity.js";

/** Shows the participants with their remaining times, and a form to add a participant. */
export function participantList(host: HTMLElement, model: Model, actions: Actions): () => void {
  const count = h("span", { class: "muted" });
  const list = h("ol", { class: "cards" });
  const name = h("input", { "aria-label": "Name of another participant", required: true });
  name.placeholder = "Add a participant";
  const add = h("button", { type: "submit", class: "button" }, "Add");
  const form = h("form", { class: "add" }, name, add);
  check(name, (typed) => nameFault(typed, "Enter a name."));
  const submit = oneAtATime(async () => {
    const typed = name.value;
    const isAdded = await actions.add(typed);
    // After a failure the name stays in the field. After a success the field is emptied, unless the
    // user has begun the next name.
    if (isAdded && name.value === typed) name.value = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  host.append(
    h("div", { class: "section-head" }, h("h2", { id: "participants-title" }, "Participants"), count),
    list,
    form,
  );
  const show = keyedList<Participant>(list, (participant) => new Card(participant, model, actions));
  return () => {
    const { known } = model;
    setAttributes(host, { hidden: known.name !== "there" });
    if (known.name !== "there") return;
    const { participants } = known.session;
    show(participants);
    setText(count, String(participants.length));
    const isFull = participants.length >= MOST_PARTICIPANTS;
    setAttributes(name, { disabled: isFull });
    setAttributes(add, { disabled: isFull || !model.live });
  };
}

class Card implements Row<Participant> {
  readonly #model: Model;
  readonly #name = h("h3");
  readonly #note = h("p", { class: "muted" });
  readonly #time = h("span", { class: "card-time" });
  readonly #bar = h("i");
  readonly #give = h("button", { type: "button", class: "button" }, "Give turn");
  readonly element: HTMLElement;

  constructor({ id }: Participant, model: Model, actions: Actions) {
    this.#model = model;
    onPress(this.#give, () => actions.next(id));
    this.element = h(
      "li",
      { class: "card", "data-participant": id },
      h("div", { class: "card-text" }, this.#name, this.#note),
      this.#time,
      this.#give,
      h("div", { class: "bar", "aria-hidden": "true" }, this.#bar),
    );
  }

  show(participant: Participant): void {
    const { known, clock, live } = this.#model;
    if (known.name !== "there") return;
    const { session } = known;
    const isTurn = participant.id === session.turn;
    const left = comingMs(session, participant, clock.now);
    setText(this.#name, participant.name);
    setText(this.#note, noteOf(session, participant, clock.now));
    setText(this.#time, session.syncMode === "total" ? "" : countdown(left));
    setAttributes(this.#give, {
      hidden: isTurn,
      disabled: !live || session.phase.name !== "running",
      // The label begins with the visible text, because voice control users say that text.
      "aria-label": `Give turn to ${participant.name}`,
    });
    const part = session.syncMode === "total" ? usedMs(session, participant, clock.now) : left;
    this.#bar.style.setProperty("--part", `${Math.min(100, Math.max(0, (100 * part) / session.timeMs))}%`);
    setAttributes(this.element, {
      "data-turn": isTurn,
      "data-over": left < 0,
      "aria-current": isTurn ? "step" : undefined,
    });
  }
}

function noteOf(session: SessionState, participant: Participant, at: number): string {
  const used = duration(usedMs(session, participant, at));
  switch (participant.turns) {
    case 0:
      return "no turn yet";
    case 1:
      return `1 turn, ${used}`;
    default:
      return `${participant.turns} turns, ${used}`;
  }
}
