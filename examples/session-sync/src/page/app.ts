import { createClient, isHoldfastError, presenceOf, documentOf } from "@holdfast/client";
import { showConnection } from "@holdfast/example-kit/page/connection-pill";
import { byId, setAttributes } from "@holdfast/example-kit/page/dom";
import { Toasts } from "@holdfast/example-kit/page/toasts";
import { SESSION_DELETED, sessionSync } from "../protocol.js";
import { facts } from "./facts.js";
import { keepFocus } from "./focus.js";
import type { Actions, Known, Model, SessionClient } from "./model.js";
import { notices } from "./notices.js";
import { failure, outcome } from "./outcome.js";
import { participantList } from "./participant-list.js";
import { ServerClock } from "./server-clock.js";
import { setupForm } from "./setup-form.js";
import { stage } from "./stage.js";

/** Runs the page of one session, from its set-up until the page closes. */
export function startApp(sessionId: string): void {
  const client: SessionClient = createClient(sessionSync, {
    url: `${location.origin}/ws`,
    // The example's public token. A real page fetches a token: `token: () => fetchToken()`.
    token: "abc123",
    parameters: { sessionId },
  });
  const channel = client.channel("session", sessionId);
  const shared = documentOf(channel);
  const watchers = presenceOf(channel);
  const model: Model = {
    sessionId,
    clock: new ServerClock({ date: () => Date.now(), steady: () => performance.now() }, askForTime),
    known: { name: "loading" },
    live: false,
    watchers: 0,
  };

  /**
   * Reads the state from the channel. If the channel has no document, the document may still be on
   * its way, so the previous state stays.
   */
  function know(): Known {
    const session = shared.get();
    const status = channel.status.get();
    if (status.name === "refused")
      return status.error.code === "STATE_DELETED"
        ? { name: "deleted" }
        : { name: "refused", reason: status.error.message };
    return session ? { name: "there", session } : model.known;
  }
  function look(): void {
    model.known = know();
    if (model.known.name === "deleted") client.disconnect();
    else if (channel.status.get().name === "subscribed" && !shared.get()) void askForSession();
    drawSoon();
  }
  /**
   * Only the server can say that there is no session. If the server is unreachable, the page asks
   * again when it joins the channel again.
   */
  async function askForSession(): Promise<void> {
    try {
      // If the session exists, its document arrives through the channel.
      await client.request("session.get");
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== "SESSION_NOT_FOUND") return report(error);
      // If the document has arrived or was deleted meanwhile, this answer is outdated.
      if (shared.get() || model.known.name === "deleted") return;
      model.known = { name: "missing" };
      drawSoon();
    }
  }
  async function askForTime(): Promise<Date> {
    const { instance, at } = await client.request("session.about");
    model.instance = instance;
    drawSoon();
    return at;
  }
  /** Shows errors of requests that the page sends by itself. */
  function report(error: unknown): void {
    // The connection strip already shows these errors, and the page asks again after a reconnect.
    if (isHoldfastError(error) && ["CONNECTION_LOST", "NOT_CONNECTED"].includes(error.code)) return;
    toasts.show(failure(error));
  }
  /** Shows errors of the user's actions. */
  function tell(error: unknown): void {
    // The page shows the deletion prominently, and the action no longer matters.
    if (model.known.name === "deleted") return;
    const toast = outcome(error);
    if (toast) toasts.show(toast);
  }

  /**
   * The actions of the user. Each action is sent as a request, and its effect arrives through the
   * document, as for every other watcher.
   */
  const actions: Actions = {
    create: (session) => client.request("session.create", session).then(() => {}, tell),
    resume: () => void client.request("session.resume").catch(tell),
    pause: () => void client.request("session.pause").catch(tell),
    next(to) {
      if (model.known.name !== "there") return;
      const { cycle } = model.known.session;
      client.request("session.switchCycle", { cycle, ...(to !== undefined && { to }) }).catch(tell);
    },
    async add(name) {
      try {
        await client.request("participant.add", { name });
        return true;
      } catch (error) {
        tell(error);
        return false;
      }
    },
    remove: () => void client.request("session.delete").catch(tell),
  };

  const toasts = new Toasts(byId("toasts"));
  const views = [
    notices(byId("notice"), model),
    setupForm(byId("setup"), model, actions),
    stage(byId("stage"), model, actions),
    participantList(byId("participants"), model, actions),
    facts(byId("facts"), model, actions),
  ];
  showConnection(client, byId("connection"), byId("outage"));

  let drawing: number | undefined;
  /** Draws once per frame, with all changes that happen before the frame. */
  function drawSoon(): void {
    drawing ??= requestAnimationFrame(() => {
      drawing = undefined;
      setAttributes(document.body, { "data-known": model.known.name });
      keepFocus(() => {
        for (const draw of views) draw();
      });
    });
  }

  // `onError` comes first, because `subscribe` calls its listener at once, and errors of that call
  // must be reported too.
  client.onError(report);
  shared.subscribe(look);
  channel.status.subscribe(look);
  watchers.subscribe(({ users }) => {
    model.watchers = users.reduce((count, { devices }) => count + devices.length, 0);
    drawSoon();
  });
  client.status.subscribe((status) => {
    model.live = status.name === "ready";
    if (status.name === "closed" && status.reason.message.includes(SESSION_DELETED)) model.known = { name: "deleted" };
    else if (status.name === "closed" && model.known.name === "loading")
      model.known = { name: "refused", reason: status.reason.message };
    if (model.live) void model.clock.measure();
    drawSoon();
  });
  // The server never sends the remaining time. The page computes the time from the document's dates
  // and the clock, four times a second, so that no second is shown for much longer than a second.
  window.setInterval(() => {
    if (model.live) model.clock.check();
    if (model.known.name === "there" && model.known.session.phase.name === "running") drawSoon();
  }, 250);
}
