import type { Observable, Status } from "@holdfast/client";
import { h, setAttributes, setText } from "./dom.js";
import { focusReturn } from "./focus.js";

/** The part of a client that the pill needs, for any protocol. */
interface Connection {
  readonly status: Observable<Status>;
  connect(): void;
}

/**
 * The label and tone of each state. The type is a table over all states, so a state without an
 * entry does not compile.
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
 * Shows the state of the connection as a pill in the header. After a connection has ended, and
 * until the page is connected again, a strip gives the reason, counts down to the next attempt and
 * has a button to try at once. The countdown is hidden from screen readers, which would read the
 * countdown aloud every second. `whenClosed` is the button's text if only the button can start an
 * attempt. Returns a function that removes the pill and the strip.
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
  // The button uses `aria-disabled` and not `disabled`, because a disabled button loses the focus
  // right after the press.
  const canRetry = (): boolean => "reason" in client.status.get();
  retry.addEventListener("click", () => {
    if (canRetry()) client.connect();
  });
  const outage = h("div", { class: "outage", hidden: true }, h("p", {}, reason, " ", plan), retry);
  outageHost.append(outage);
  const returnFocus = focusReturn(outage);

  let ticking: number | undefined;
  /**
   * When the next attempt is due, on the page's monotonic clock, because the wall clock may be set
   * during the countdown.
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
    // The attempt after an outage belongs to the outage: the strip stays until the page is
    // connected again.
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
      // Four times a second, so the number changes at most a quarter of a second late.
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

/** The whole seconds from `now` to `at`, rounded up, never below 0. */
function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1_000));
}
