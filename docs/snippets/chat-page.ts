import { createClient, isHoldfastError, type Status } from "@holdfast/client";
import { chat, type Message } from "./chat-protocol.js";

const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const input = find<HTMLInputElement>("text");

// A path belongs to the page's own origin: http://localhost:5173 here, your domain in production.
const client = createClient(chat, { url: "/ws" });

client.status.subscribe((status) => (find("status").textContent = describe(status)));
client.onError((error, { source }) => console.error(source, error));

const channel = client.channel("messages");
channel.on("added", show);
channel.onReset(load); // Some events cannot be replayed, so load the data again.
void channel.join().then(load, (error: unknown) => console.error("the channel cannot be joined", error));

async function load(): Promise<void> {
  for (const message of await client.request("message.list")) show(message);
}

/** Can be called twice for a message: an event may arrive before the list that contains it. */
function show({ id, text, sentAt }: Message): void {
  if (document.getElementById(id)) return;
  const item = document.createElement("li");
  item.id = id;
  item.textContent = `${sentAt.toLocaleTimeString()} ${text}`;
  find("messages").append(item);
}

find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  client.request("message.send", { text: input.value }).then(
    () => (input.value = ""),
    (error: unknown) => (find("error").textContent = isHoldfastError(error) ? error.message : String(error)),
  );
});

function describe(status: Status): string {
  switch (status.name) {
    case "ready":
      return "Connected";
    case "waiting":
      return `Offline. Next attempt at ${new Date(status.retryAt).toLocaleTimeString()}`;
    case "closed":
    case "unauthorized":
      return `Stopped: ${status.reason.message}`;
    default:
      return "Connecting";
  }
}
