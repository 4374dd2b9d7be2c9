import { h } from "./dom.js";
import { focusReturn, moveFocus } from "./focus.js";

const SHOWN_MS = 6_000;
const MOST = 4;

export interface Toast {
  readonly level: "info" | "success" | "warning" | "error";
  readonly title: string;
  readonly text: string;
}

/**
 * Shows each message for a few seconds. A message stays while the pointer is over it or the focus
 * is in it.
 */
export class Toasts {
  readonly #host: HTMLElement;
  readonly #returnFocus: () => void;

  constructor(host: HTMLElement) {
    this.#host = host;
    this.#returnFocus = focusReturn(host);
  }

  show({ level, title, text }: Toast): void {
    const close = h("button", { type: "button", class: "toast-close", "aria-label": "Dismiss" }, "×");
    const toast = h(
      "div",
      { class: "toast", "data-level": level },
      h("div", {}, h("strong", {}, title), h("p", {}, text)),
      close,
    );
    const remove = (): void => this.#remove(toast);
    let timer = window.setTimeout(remove, SHOWN_MS);
    const hold = (): void => window.clearTimeout(timer);
    const release = (): void => {
      hold();
      timer = window.setTimeout(remove, SHOWN_MS / 2);
    };
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("pointerleave", release);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("focusout", release);
    close.addEventListener("click", remove);
    this.#host.append(toast);
    if (this.#host.childElementCount <= MOST) return;
    // If there are too many messages, the oldest message of the level `info` or `success` is
    // removed first, so that such a message does not displace a warning or an error.
    const lesser = this.#host.querySelector('[data-level="info"], [data-level="success"]');
    const least = lesser ?? this.#host.firstElementChild;
    if (least) this.#remove(least);
  }

  /**
   * Removes a message. If the message has the focus, the focus moves to the next message, or back
   * to the element that had the focus before the messages.
   */
  #remove(toast: Element): void {
    if (toast.contains(document.activeElement)) {
      const other = (toast.nextElementSibling ?? toast.previousElementSibling)?.querySelector("button");
      if (other) moveFocus(other);
      else this.#returnFocus();
    }
    toast.remove();
  }
}
