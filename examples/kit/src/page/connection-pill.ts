import type { Observable, Status } from "@holdfast/client";
import { h, setAttributes, setText } from "./dom.js";
import { focusReturn } from "./focus.js";

/** What is needed of a client, whatever its protocol. */
interface Connection {
  readonly status: Observable<Status>;
  connect(): void;
}

/**
 * What each state is called, and how it looks. A table, so that a state without an entry does not
 * compile.
 */
const looks: { readonly [Name in Status["name"]]: { label: string; tone: "good" | "busy" | "bad" | "off" } } = {
  idle: { label: "Not connected", tone: "off" },
  connecting: { label: "Connecting", tone: "busy" },
  authenticating: { label: "Signing in", tone: "busy" },
  ready: { label: "Live", tone: "good" },
  waiting: { label: "Waiting", tone: "bad" },
  unauthorized: { label: "Not signed in", tone: "bad" },
  closed: { label: "Closed", tone: "off" },
};

/**
 * Shows what the connection is doing: a pill in the header, and while there is none a strip that
 * says why, counts down to the next attempt and can make it at once. The countdown is hidden from
 * screen readers, which would read every second. `whenClosed` is what the button says when there
 * will be no attempt without it. Returns what takes both away.
 */
export function showConnection(
  client: Connection,
  pillHost: HTMLElement,
  outageHost: HTMLElement,
  { whenClosed = "Try now" } = {},
): () => void {
  const label = h("span");
  const countdown = h("span", { class: "countdown", "aria-hidden": "true" });
  const pill = h("div", { class: "pill", role: "status" }, h("i", { class: "dot" }), label, countdown);
  pillHost.append(pill);

  const reason = h("strong");
  const plan = h("span", { class: "plan" });
  const retry = h("button", { type: "button", class: "button" });
  // Not `disabled`, which would take the focus from whoever has just pressed it.
  const canRetry = (): boolean => "reason" in client.status.get();
  retry.addEventListener("click", () => {
    if (canRetry()) client.connect();
  });
  const outage = h("div", { class: "outage", hidden: true }, h("p", {}, reason, " ", plan), retry);
  outageHost.append(outage);
  const returnFocus = focusReturn(outage);

  let ticking: number | undefined;
  /**
   * When the next attempt is due, on the page's monotonic clock: while the countdown runs the wall
   * clock may be set.
   */
  let attemptAt = 0;
  let lost: string | undefined;

  const render = (): void => {
    const status = client.status.get();
    const { label: text, tone } = looks[status.name];
    setText(label, text);
    setAttributes(pill, { "data-tone": tone, "data-status": status.name });
    setAttributes(document.body, { "data-live": status.name === "ready" });

    const seconds = status.name === "waiting" ? secondsUntil(attemptAt, performance.now()) : undefined;
    setText(countdown, seconds === undefined ? "" : `${seconds} s`);
    if ("reason" in status) lost = status.reason.message;
    else if (status.name === "ready") lost = undefined;
    // An attempt that follows an outage is a part of it: the strip stays until the page is live
    // again.
    if (lost === undefined) returnFocus();
    setAttributes(outage, { hidden: lost === undefined });
    setText(reason, lost ?? "");
    if (seconds !== undefined) setText(plan, `Next attempt in ${seconds} s.`);
    else setText(plan, "attempt" in status ? "Trying now." : "");
    setText(retry, status.name === "closed" ? whenClosed : "Try now");
    setAttributes(retry, { "aria-disabled": String(!canRetry()) });
  };

  const unsubscribe = client.status.subscribe((status) => {
    window.clearInterval(ticking);
    if (status.name === "waiting") {
      attemptAt = performance.now() + status.retryAt - Date.now();
      // Four times a second: the number changes within a quarter of a second of when it should.
      ticking = window.setInterval(render, 250);
    }
    render();
  });
  return () => {
    unsubscribe();
    window.clearInterval(ticking);
    pill.remove();
    returnFocus();
    outage.remove();
    setAttributes(document.body, { "data-live": undefined });
  };
}

/** Whole seconds until a moment, never below 0. */
function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1_000));
}
