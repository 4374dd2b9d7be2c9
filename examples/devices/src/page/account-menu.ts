import { h } from "@holdfast/example-kit/page/dom";
import type { User } from "./session-api.js";

/** Shows the logged-in user and the button to log out. */
export function accountMenu(user: User, logOut: () => void): HTMLElement {
  const button = h("button", { type: "button", class: "button" }, "Log out");
  button.addEventListener("click", logOut);
  return h(
    "div",
    { class: "account" },
    h("span", { class: "avatar", "aria-hidden": "true" }, user.name.charAt(0)),
    h("span", { class: "account-name" }, user.name),
    button,
  );
}
