import { createClient, isHoldfastError } from "@holdfast/client";
import { devices, type Overview } from "../protocol.js";
import { accountMenu } from "./account-menu.js";
import { showConnection } from "@holdfast/example-kit/page/connection-pill";
import { deliveryPanel } from "./delivery-panel.js";
import { deviceCards } from "./device-cards.js";
import { h } from "@holdfast/example-kit/page/dom";
import { type DevicesClient, now } from "./model.js";
import type { OwnDevice } from "./own-device.js";
import { Playback } from "./playback.js";
import { playerPanel } from "./player-panel.js";
import { logOut, type User, whoAmI } from "./session-api.js";
import type { Toasts } from "@holdfast/example-kit/page/toasts";

const LOGGED_OUT = "You have logged out.";
const LOGIN_ENDED = "Your login has ended.";

/** Why the player was closed: another user is logged in now, or the login has ended. */
export interface Left {
  readonly user?: User | undefined;
  readonly notice?: string | undefined;
}

export interface AppOptions {
  readonly user: User;
  readonly device: OwnDevice;
  readonly content: HTMLElement;
  readonly header: HTMLElement;
  readonly outage: HTMLElement;
  readonly toasts: Toasts;
  readonly left: (why: Left) => void;
}

/** Shows the player of a logged-in user until the login ends. */
export function startApp({ user, device, content, header, outage, toasts, left }: AppOptions): void {
  // No token, because the browser sends the login's cookie. The name is a connection parameter, so
  // other devices never see a device without a name.
  const client: DevicesClient = createClient(devices, {
    url: "/ws",
    deviceId: device.id,
    parameters: { deviceName: device.name, deviceKind: device.kind },
  });
  const playback = new Playback({ client, device, changed: drawSoon, report });
  const { model } = playback;

  let drawing: number | undefined;
  let isOver = false;
  let isLoggingOut = false;
  let revision = 0;
  const list = client.channel("devices", user.id);
  client.onError(report);
  list.on("changed", (overview) => show(overview));
  // The page requests the list after it has joined the channel. Otherwise a change between the
  // answer and the subscription would not reach the page.
  list.status.subscribe(({ name }) => {
    if (name !== "subscribed") return;
    // The page may be connected to a new server process now, whose lists are numbered from 1 again.
    revision = 0;
    client.request("device.list").then(show, report);
  });
  client.direct.on("playback.*", (command) => playback.obey(command));
  client.direct.on("device.signedOut", ({ by }) => leave({ notice: `${by.name} has signed this browser out.` }));
  client.status.subscribe((status) => {
    model.live = status.name === "ready";
    switch (status.name) {
      case "ready":
        // The cookie may belong to another user by now, if another tab logged out and in again.
        if (status.userId !== user.id) return void makeWay();
        break;
      case "unauthorized":
        return leave({ notice: LOGIN_ENDED });
      case "closed":
        if (status.reason.name === "FORBIDDEN")
          return leave({ notice: isLoggingOut ? LOGGED_OUT : "This browser was logged out." });
        break;
      case "idle":
      case "connecting":
      case "authenticating":
      case "waiting":
        break;
      default:
        status satisfies never;
    }
    drawSoon();
  });

  function show(overview: Overview): void {
    if (overview.revision < revision) return;
    revision = overview.revision;
    model.overview = overview;
    model.overviewAt = now();
    playback.agree();
    drawSoon();
  }
  /**
   * Replaces this player with a player of the user who is logged in now. The old player must not
   * act in the new user's name.
   */
  async function makeWay(): Promise<void> {
    client.disconnect();
    const found = await whoAmI().catch(() => undefined);
    leave(found ? { user: found } : { notice: LOGIN_ENDED });
  }

  const page = h("div", { class: "app" });
  const views = [
    playerPanel(page, model, playback),
    deliveryPanel(page, model),
    deviceCards(page, model, playback),
  ] as const;
  const account = accountMenu(user, () => {
    // The server closes the connections of all tabs of this browser, and the close may arrive
    // before the answer.
    isLoggingOut = true;
    logOut().then(
      () => leave({ notice: LOGGED_OUT }),
      (error: unknown) => {
        isLoggingOut = false;
        report(error);
      },
    );
  });
  const hidePill = showConnection(client, header, outage, { whenClosed: "Connect here" });
  header.append(account);
  content.replaceChildren(page);

  const ticking = window.setInterval(() => {
    playback.tick();
    drawSoon();
  }, 250);

  function leave(why: Left): void {
    if (isOver) return;
    isOver = true;
    window.clearInterval(ticking);
    client.disconnect();
    hidePill();
    account.remove();
    left(why);
  }
  function report(error: unknown): undefined {
    // The connection strip already shows these errors. After leaving, no error matters.
    if (isOver || (isHoldfastError(error) && ["CONNECTION_LOST", "NOT_CONNECTED"].includes(error.code))) return;
    const text = error instanceof Error ? error.message : String(error);
    toasts.show({ level: "error", title: "The action failed", text });
  }
  /** Draws once per frame, with all changes that happen before the frame. */
  function drawSoon(): void {
    drawing ??= requestAnimationFrame(() => {
      drawing = undefined;
      for (const draw of views) draw();
    });
  }
}
