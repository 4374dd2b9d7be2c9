import { h, setAttributes, setText, svg } from "@holdfast/example-kit/page/dom";
import { remainingMs } from "../session-time.js";
import type { PhaseName, SessionState } from "../protocol.js";
import { countdown, phaseNames, spoken } from "./format.js";
import { type Actions, type Model, modes } from "./model.js";
import { onPress } from "./press.js";

const phases: { readonly [Name in PhaseName]: { button: string; tone: "good" | "busy" | "off" } } = {
  ready: { button: "Start", tone: "off" },
  running: { button: "Pause", tone: "good" },
  paused: { button: "Resume", tone: "busy" },
};
const RADIUS = 88;
const AROUND = 2 * Math.PI * RADIUS;
/** Below this value, the remaining time is marked as short. */
const SHORT_MS = 30_000;

/** Shows the current turn, the remaining time, and the buttons that control the clock. */
export function stage(host: HTMLElement, model: Model, actions: Actions): () => void {
  const title = h("h2", { id: "stage-title" });
  const badge = h("span", { class: "badge" });
  const name = h("p", { class: "turn-name" });
  // Screen readers announce the start of a turn, a stopped or started clock, and the end of the
  // time. The remaining time itself is only read on request.
  const turn = h("p", { class: "visually-hidden", role: "status" });
  const time = h("span", { class: "time", role: "timer" });
  const cycle = h("span", { class: "muted" });
  const arc = svg("circle", { class: "ring-arc", cx: 100, cy: 100, r: RADIUS });
  const ring = svg(
    "svg",
    { class: "ring", viewBox: "0 0 200 200", "aria-hidden": "true" },
    svg("circle", { class: "ring-track", cx: 100, cy: 100, r: RADIUS }),
    arc,
  );
  const dial = h("div", { class: "dial" }, ring, h("div", { class: "dial-text" }, name, time, cycle));
  const toggle = h("button", { type: "button", class: "button large" });
  const next = h("button", { type: "button", class: "button large primary" }, "Next turn");
  onPress(toggle, () => {
    if (model.known.name !== "there") return;
    if (model.known.session.phase.name === "running") actions.pause();
    else actions.resume();
  });
  onPress(next, () => actions.next());
  const note = h("p", { class: "muted stage-note" });
  host.append(
    h("div", { class: "section-head" }, title, badge),
    dial,
    turn,
    h("div", { class: "steer" }, toggle, next),
    note,
  );

  const show = (session: SessionState): void => {
    const { phase, participants, syncMode } = session;
    const { button, tone } = phases[phase.name];
    const present = participants.find(({ id }) => id === session.turn);
    if (!present) return;
    const left = remainingMs(session, present, model.clock.now);
    setText(title, session.title);
    setText(badge, phaseNames[phase.name]);
    setAttributes(badge, { "data-tone": tone });
    setText(name, present.name);
    setText(turn, spoken(session, present.name, left));
    setText(time, countdown(left));
    setAttributes(time, { "data-hours": countdown(left).split(":").length > 2 });
    setText(cycle, session.cycle === 0 ? "first turn" : `cycle ${session.cycle}`);
    setText(note, `${modes[syncMode].name}: ${modes[syncMode].text}`);
    setText(toggle, button);
    setAttributes(toggle, { disabled: !model.live, "data-main": phase.name !== "running" });
    setAttributes(next, { disabled: !model.live || phase.name !== "running" });
    setAttributes(host, {
      "data-time": left < 0 ? "over" : left < SHORT_MS ? "short" : "enough",
      "data-phase": phase.name,
    });
    const part = Math.min(1, Math.max(0, left / session.timeMs));
    setAttributes(arc, { "stroke-dasharray": `${(AROUND * part).toFixed(1)} ${AROUND.toFixed(1)}` });
  };
  return () => {
    const { known } = model;
    setAttributes(host, { hidden: known.name !== "there" });
    if (known.name === "there") show(known.session);
  };
}
