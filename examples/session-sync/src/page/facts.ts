import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import type { Actions, Model } from "./model.js";
import { onPress } from "./press.js";
import { addressOf } from "./session-id.js";

/**
 * Shows the instance that this page is connected to, the version of the document, and buttons for
 * the whole session.
 */
export function facts(host: HTMLElement, model: Model, actions: Actions): () => void {
  const version = fact("Version");
  const watchers = fact("Watching");
  const instance = fact("Instance");
  const updated = fact("Changed");
  const another = h(
    "a",
    { class: "button", href: addressOf(model.sessionId), target: "_blank", rel: "noopener" },
    "Open a second watcher",
  );
  const remove = h("button", { type: "button", class: "button quiet" }, "Delete the session");
  // Instead of a dialog, the button asks for a second press within a few seconds.
  let asked: number | undefined;
  const unsure = (): void => {
    window.clearTimeout(asked);
    asked = undefined;
    setText(remove, "Delete the session");
  };
  onPress(remove, () => {
    if (asked === undefined) {
      setText(remove, "Delete for everyone?");
      asked = window.setTimeout(unsure, 4_000);
    } else {
      unsure();
      actions.remove();
    }
  });
  remove.addEventListener("blur", unsure);
  host.append(
    h("dl", { class: "figures" }, version.element, watchers.element, updated.element, instance.element),
    h("div", { class: "buttons" }, another, remove),
  );
  return () => {
    const { known, live } = model;
    setAttributes(host, { hidden: known.name !== "there" });
    if (known.name !== "there") return;
    version.show(String(known.session.version));
    watchers.show(live ? String(model.watchers) : "–");
    updated.show(known.session.updatedAt.toLocaleTimeString());
    instance.show(live ? (model.instance ?? "–") : "–");
    setAttributes(remove, { disabled: !live });
  };
}

function fact(name: string) {
  const value = h("dd", { "data-fact": name.toLowerCase() });
  return {
    element: h("div", {}, h("dt", {}, name), value),
    show: (text: string): void => setText(value, text),
  };
}
