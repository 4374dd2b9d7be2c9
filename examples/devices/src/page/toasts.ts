import { h } from "./dom.js";

const SHOWN_MS = 6_000;
const MOST = 4;

export interface Toast {
  readonly level: "info" | "error";
  readonly title: string;
  readonly text: string;
}

/** Messages for a person, each for a few seconds; one under the pointer or the keyboard stays. */
export function showToast(host: HTMLElement, { level, title, text }: Toast): void {
  const close = h("button", { type: "button", class: "toast-close", "aria-label": "Dismiss" }, "×");
  const body = h("div", {}, h("strong", {}, title), h("p", {}, text));
  const toast = h("div", { class: "toast", "data-level": level }, body, close);
  const remove = (): void => toast.remove();
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
  host.append(toast);
  if (host.childElementCount > MOST) host.firstElementChild?.remove();
}
