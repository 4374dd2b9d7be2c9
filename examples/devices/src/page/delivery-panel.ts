import type { Outcome } from "../protocol.js";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import type { Delivery, Model } from "./model.js";

/**
 * The text for each result. The type is a table over all results, so a result without a text does
 * not compile.
 */
const words: { readonly [Result in Outcome["result"]]: string } = {
  confirmed: "done",
  not_connected: "is not connected",
  disconnected: "disconnected before it answered",
  timeout: "did not answer in time",
  not_handled: "runs a page without this command",
  invalid: "could not read the command",
  handler_failed: "failed",
};

/** Shows the last command of this device to other devices, with the result for each device. */
export function deliveryPanel(host: HTMLElement, model: Model): () => void {
  const title = h("h2", { id: "delivery-title" });
  const sum = h("span", { class: "muted" });
  const list = h("ul", { class: "outcomes" });
  const section = h(
    "section",
    { class: "delivery panel", "aria-labelledby": "delivery-title", role: "status", hidden: true },
    h("div", { class: "section-head" }, title, sum),
    list,
  );
  host.append(section);

  let shown: Delivery | undefined;
  return () => {
    const { delivery } = model;
    if (delivery === shown) return;
    shown = delivery;
    setAttributes(section, { hidden: !delivery });
    if (!delivery) return;
    const { report } = delivery;
    setText(title, delivery.title);
    setText(sum, report ? summary(report) : "asking …");
    list.replaceChildren(...(report ?? []).map(row));
  };
}

function summary(report: readonly Outcome[]): string {
  if (report.length === 0) return "no other device";
  const confirmed = report.filter(({ result }) => result === "confirmed").length;
  return `${confirmed} of ${report.length} confirmed`;
}

function row({ deviceId, name, result }: Outcome): HTMLElement {
  const done = result === "confirmed";
  return h(
    "li",
    { "data-device": deviceId, "data-result": result },
    h("span", { class: "mark", "aria-hidden": "true" }, done ? "✓" : "✕"),
    h("strong", {}, name),
    h("span", { class: "muted" }, words[result]),
  );
}
