import { createClient, isDeclaredError, isHoldfastError } from "@holdfast/client";
import { agents } from "../protocol.js";
import { showConnection } from "@holdfast/example-kit/page/connection-pill";
import { byId, setText } from "@holdfast/example-kit/page/dom";
import { endedList } from "./ended-list.js";
import { fleetCards } from "./fleet-cards.js";
import { FleetStore } from "./fleet-store.js";
import { hostTiles } from "./host-tiles.js";
import { launcher } from "./launcher.js";
import { logPane } from "./log-pane.js";
import { themeButton } from "@holdfast/example-kit/page/theme";
import { Toasts } from "@holdfast/example-kit/page/toasts";
import { usageChart } from "./usage-chart.js";

const client = createClient(agents, {
  url: `${location.origin}/ws`,
  // The example's public token. A real page fetches one: `token: () => fetchToken()` runs before
  // every attempt.
  token: "abc123",
});
let drawing: number | undefined;
const store = new FleetStore(drawSoon);
const toasts = new Toasts(byId("toasts"));
client.onError(report);

// The page applies each event on arrival.
const updates = client.channel("agent-updates");
/** The events since the list was requested, because the list may be older than these events. */
let since: (() => void)[] | undefined;
function apply(change: () => void): void {
  since?.push(change);
  change();
}
updates.on("started", ({ agent }) => apply(() => store.started(agent)));
updates.on("statusChanged", ({ agentId, status }) => apply(() => store.statusChanged(agentId, status)));
updates.on("exited", ({ agentId, status, exit }) => apply(() => store.exited(agentId, status, exit)));
updates.on("removed", ({ agentId }) => apply(() => store.removed(agentId)));
updates.on("output", ({ agentId, line }) => apply(() => store.addLines(agentId, [line])));
updates.on("capacityChanged", ({ maximum }) => apply(() => store.setMaximum(maximum)));
client.channel("metrics").on("sampled", (sample) => store.sampled(sample));
client.channel("notifications").on("posted", (notification) => toasts.show(notification));
client.channel("system-events").on("stopping", ({ reason, instance }) => {
  const who = instance === store.instance ? "The server" : `The instance ${instance}`;
  toasts.show({ level: "warning", title: `${who} is stopping`, text: reason });
});

// The current state. The page loads it whenever it may have missed events: after every connect and
// every reset. Each answer is applied as soon as it arrives, because later events change the
// applied state.
function load(): void {
  // If only one instance runs, answers and events arrive in the order in which things happened. If
  // several run, another instance may change something while the connected instance reads the list.
  // Therefore the page applies the events that arrived meanwhile to the new list again. A repeated
  // event has no effect.
  const meanwhile: (() => void)[] = [];
  since = meanwhile;
  const lists = client.request("agent.list").then(({ agents: list, maximum, instance }) => {
    store.replace(list, maximum, instance);
    for (const change of meanwhile) change();
    if (since === meanwhile) since = undefined;
  });
  lists.then(loadLog).catch(report);
  const programs = client.request("agent.programs").then((answer) => store.setPrograms(answer.programs));
  const samples = client.request("metrics.recent").then((answer) => store.addSamples(answer.samples));
  Promise.all([programs, samples]).catch(report);
}
function loadLog(): void {
  const agentId = store.selectedId;
  if (agentId === undefined) return;
  client
    .request("agent.log", { agentId })
    .then(({ lines }) => store.addLines(agentId, lines))
    // An agent that was removed meanwhile has no log, and the page will remove its card.
    .catch((error: unknown) => isDeclaredError(agents, "agent.log", error) || report(error));
}
client.status.subscribe((status) => {
  store.setLive(status.name === "ready");
  if (status.name === "ready") load();
});
updates.onReset(load);

// Actions of the user.
function select(agentId: string): void {
  store.select(agentId);
  loadLog();
}
/** On a narrow screen the log is below the fleet, so opening it scrolls there. */
function look(agentId: string): void {
  select(agentId);
  if (matchMedia("(max-width: 1080px)").matches) byId("log").scrollIntoView({ behavior: "smooth", block: "nearest" });
}
function stop(agentId: string): void {
  client.request("agent.stop", { agentId }).catch((error: unknown) => {
    if (isDeclaredError(agents, "agent.stop", error) && error.code === "INSTANCE_AWAY") {
      toasts.show({ level: "warning", title: "Not stopped", text: error.message });
    } else report(error);
  });
}
function start(program: string, options: Record<string, string>): void {
  client
    .request("agent.start", { program, options })
    .then(({ agent }) => select(agent.id))
    .catch((error: unknown) => {
      if (isDeclaredError(agents, "agent.start", error) && error.code === "TOO_MANY_AGENTS") {
        toasts.show({ level: "warning", title: "The fleet is full", text: error.message });
      } else report(error);
    });
}
function report(error: unknown): void {
  // The connection strip already shows this error.
  if (isHoldfastError(error) && error.code === "CONNECTION_LOST") return;
  toasts.show({
    level: "error",
    title: "The action failed",
    text: error instanceof Error ? error.message : String(error),
  });
}

const views = [
  hostTiles(byId("host"), store),
  launcher(byId("launcher"), store, start),
  fleetCards(byId("cards"), byId("fleet-count"), store, { select: look, stop }),
  endedList(byId("ended"), store, { select: look, start }),
  usageChart(byId("chart"), store, select),
  logPane(byId("log"), store),
];
showConnection(client, byId("connection"), byId("outage"));
themeButton(byId("theme"));
client.status.subscribe((status) => {
  if (status.name === "ready") setText(byId("session"), `Session ${status.sessionId}`);
});

/** Draws once per frame, with all events that arrive before the frame. */
function drawSoon(): void {
  if (drawing !== undefined) return;
  drawing = requestAnimationFrame(() => {
    drawing = undefined;
    for (const draw of views) draw();
  });
}
