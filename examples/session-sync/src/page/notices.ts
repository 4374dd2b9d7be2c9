import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import type { Known, Model } from "./model.js";

/**
 * The text that is shown if no session is visible. The type is a table over all states, so a state
 * without an entry does not compile.
 */
const texts: { readonly [Name in Known["name"]]: { title: string; text: string } | undefined } = {
  loading: { title: "Loading", text: "The page is loading the session of this address." },
  // The form has its own text.
  missing: undefined,
  there: undefined,
  deleted: {
    title: "This session was deleted",
    text: "The session has ended for all watchers, and this page is disconnected.",
  },
  refused: { title: "This session cannot be watched", text: "" },
};

/**
 * Shows why no session is visible, and a link to set up another session. `host` is never hidden,
 * because screen readers ignore changes in a hidden element.
 */
export function notices(host: HTMLElement, model: Pick<Model, "known">): () => void {
  const title = h("h2");
  const text = h("p", { class: "muted" });
  const another = h("a", { class: "button primary", href: "./" }, "Set up another session");
  const panel = h("section", { class: "panel notice" }, title, text, another);
  host.append(panel);
  return () => {
    const { known } = model;
    const said = texts[known.name];
    setAttributes(panel, { hidden: !said });
    setText(title, said?.title ?? "");
    setText(text, known.name === "refused" ? known.reason : (said?.text ?? ""));
    setAttributes(another, { hidden: known.name === "loading" });
  };
}
