import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import { logIn, type User } from "./session-api.js";

/** The password of every user of this example. The server still stores only scrypt hashes. */
const PASSWORD = "holdfast";
const people = [
  { id: "ada", name: "Ada Lovelace" },
  { id: "grace", name: "Grace Hopper" },
];

export interface LoginFormOptions {
  /** The reason why the user must log in again. */
  notice: string | undefined;
  loggedIn: (user: User) => void;
}

export function loginForm({ notice, loggedIn }: LoginFormOptions): HTMLElement {
  const name = h("input", { name: "user", autocomplete: "username", required: true, maxlength: 64 });
  name.autocapitalize = "none";
  name.spellcheck = false;
  const password = h("input", {
    name: "password",
    type: "password",
    autocomplete: "current-password",
    required: true,
    maxlength: 256,
  });
  const submit = h("button", { type: "submit", class: "button primary" }, "Log in");
  const fault = h("p", { class: "fault", role: "alert" });
  const form = h(
    "form",
    { class: "panel login-form" },
    h("h2", {}, "Log in"),
    notice === undefined ? undefined : h("p", { class: "notice", role: "status" }, notice),
    h("label", {}, h("span", {}, "User"), name),
    h("label", {}, h("span", {}, "Password"), password),
    fault,
    submit,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setText(fault, "");
    setAttributes(submit, { disabled: true });
    logIn(name.value.trim(), password.value)
      .then((result) => ("refused" in result ? setText(fault, result.refused) : loggedIn(result)))
      .catch(() => setText(fault, "The server did not answer. Is it running?"))
      .finally(() => setAttributes(submit, { disabled: false }));
  });

  const demo = h("div", { class: "demo" }, h("p", { class: "muted" }, "This is a demo. Choose a user:"));
  for (const person of people) {
    const fill = h(
      "button",
      { type: "button", class: "person", "data-user": person.id },
      h("span", { class: "avatar", "aria-hidden": "true" }, person.name.charAt(0)),
      h("span", {}, h("strong", {}, person.name), h("span", { class: "muted" }, `${person.id} · ${PASSWORD}`)),
    );
    fill.addEventListener("click", () => {
      name.value = person.id;
      password.value = PASSWORD;
      submit.focus();
    });
    demo.append(fill);
  }
  return h(
    "div",
    { class: "login" },
    h("p", { class: "lead" }, "One player, all your devices: what starts on one is paused on the others."),
    form,
    demo,
  );
}
