import { byId, setAttributes } from "@holdfast/example-kit/page/dom";
import { themeButton } from "@holdfast/example-kit/page/theme";
import { startApp } from "./app.js";
import { notices } from "./notices.js";
import { addressOf, isSessionId, newSessionId, sessionIdOf } from "./session-id.js";

themeButton(byId("theme"));
// The id in the address is enough to watch a session. If the address has no id, the page makes an
// id for a session that does not exist yet.
const sessionId = sessionIdOf(new URL(location.href)) ?? newSessionId(crypto.getRandomValues(new Uint8Array(16)));
if (isSessionId(sessionId)) {
  history.replaceState(null, "", addressOf(sessionId));
  startApp(sessionId);
} else {
  // The server would close the connection with 1008, so the page does not connect.
  setAttributes(document.body, { "data-known": "refused" });
  notices(byId("notice"), {
    known: { name: "refused", reason: "The id in the address is not a session id." },
  })();
}
