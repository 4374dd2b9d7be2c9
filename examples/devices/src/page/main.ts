import { type Left, startApp } from "./app.js";
import { byId } from "@holdfast/example-kit/page/dom";
import { loginForm } from "./login-form.js";
import { ownDevice } from "./own-device.js";
import { type User, whoAmI } from "./session-api.js";
import { themeButton } from "@holdfast/example-kit/page/theme";
import { Toasts } from "@holdfast/example-kit/page/toasts";

/**
 * Shows the login or the player. The server knows the logged-in user, and the player reports when
 * the user has changed.
 */

const content = byId("content");
themeButton(byId("theme"));
const toasts = new Toasts(byId("toasts"));
const device = await ownDevice();

function showPlayer(user: User): void {
  startApp({ user, device, content, header: byId("session"), outage: byId("outage"), toasts, left });
}

function left({ user, notice }: Left): void {
  if (user) return showPlayer(user);
  const form = loginForm({ notice, loggedIn: enter });
  content.replaceChildren(form);

  // Another tab may have logged this browser in meanwhile, so the page asks again when it becomes
  // visible.
  const look = (): void => {
    if (document.visibilityState === "visible") whoAmI().then((found) => found && enter(found), quiet);
  };
  function enter(found: User): void {
    document.removeEventListener("visibilitychange", look);
    if (form.isConnected) showPlayer(found);
  }
  document.addEventListener("visibilitychange", look);
}

/** Ignores errors, because the form reports an unreachable server when the user logs in. */
function quiet(): void {}

left({ user: await whoAmI().catch(() => undefined) });
