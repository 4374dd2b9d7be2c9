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

/** The page of a session, which may have to be set up first, for as long as the page is open. */
export function startApp(sessionId: string): void {
  const client: SessionClient = createClient(sessionSync, {
    url: `${location.origin}/ws`,
    // The example's token, known to all. A real page asks for one: `token: () => fetchToken()`.
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
   * What the channel knows. Where it has no document that may still be on its way, so what was
   * known before stays.
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
   * Only the server can say that there is none. If it cannot be reached it is asked again when the
   * channel is joined again.
   */
  async function askForSession(): Promise<void> {
    try {
      // If there is one its document comes by the channel.
      await client.request("session.get");
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== "SESSION_NOT_FOUND") return report(error);
      // It may have come meanwhile, or have been deleted, which says more.
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
  /** Of what the page asks by itself. */
  function report(error: unknown): void {
    // The connection strip already says so, and it is asked again when the page is live again.
    if (isHoldfastError(error) && ["CONNECTION_LOST", "NOT_CONNECTED"].includes(error.code)) return;
    toasts.show(failure(error));
  }
  /** Of what people do. */
  function tell(error: unknown): void {
    // The page says it larger, and what was wanted of the session does not matter any more.
    if (model.known.name === "deleted") return;
    const toast = outcome(error);
    if (toast) toasts.show(toast);
  }

  /**
   * What people do is sent; what becomes of it comes by the document, as it does for everyone else.
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
  /** Many changes, one drawing: everything that happens before the next frame is drawn with it. */
  function drawSoon(): void {
    drawing ??= requestAnimationFrame(() => {
      drawing = undefined;
      setAttributes(document.body, { "data-known": model.known.name });
      keepFocus(() => {
        for (const draw of views) draw();
      });
    });
  }

  // First: `subscribe` calls its listener at once, and an error of that call is reported, too.
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
  // Nobody sends the time: it is what the document's moments and the clock say. Four times a
  // second, so that a second is never shown for much longer than one.
  window.setInterval(() => {
    if (model.live) model.clock.check();
    if (model.known.name === "there" && model.known.session.phase.name === "running") drawSoon();
  }, 250);
}
