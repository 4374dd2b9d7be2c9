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

/** Why the player was left: for somebody else who is logged in now, or for the login. */
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

/** The player of a user who is logged in, from here until the login ends. */
export function startApp({ user, device, content, header, outage, toasts, left }: AppOptions): void {
  // No token: the browser sends the cookie of the login along. The name travels with the
  // connection, so that the others never see a device without one.
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
  // Asked for when this page is on the channel, and not before: what changed in between would be
  // told to nobody.
  list.status.subscribe(({ name }) => {
    if (name !== "subscribed") return;
    // It may be another server's now, which counts anew.
    revision = 0;
    client.request("device.list").then(show, report);
  });
  client.direct.on("playback.*", (command) => playback.obey(command));
  client.direct.on("device.signedOut", ({ by }) => leave({ notice: `${by.name} has signed this browser out.` }));
  client.status.subscribe((status) => {
    model.live = status.name === "ready";
    switch (status.name) {
      case "ready":
        // The cookie may be somebody else's by now: another tab logged out, and another user in.
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
  /** Leaves the player to whoever is logged in now. This one must not do anything in their name. */
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
    // The server ends the connections of all tabs of this browser. This tab may be told so before
    // the answer comes.
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
    // The connection strip already says so, and whoever leaves is not interested.
    if (isOver || (isHoldfastError(error) && ["CONNECTION_LOST", "NOT_CONNECTED"].includes(error.code))) return;
    const text = error instanceof Error ? error.message : String(error);
    toasts.show({ level: "error", title: "That did not work", text });
  }
  /** Many changes, one drawing: everything that happens before the next frame is drawn with it. */
  function drawSoon(): void {
    drawing ??= requestAnimationFrame(() => {
      drawing = undefined;
      for (const draw of views) draw();
    });
  }
}
