import { createClient } from "@holdfast/client";
import { news } from "./news.js";

export function followHeadlines(url: string, show: (text: string, isNew: boolean) => void): () => void {
  const client = createClient(news, { url });
  const headlines = client.channel("headlines");
  headlines.on("added", ({ text }, { replayed }) => show(text, !replayed));
  // `*` subscribes to all events of the channel, and `headline.*` to all events whose names begin
  // with `headline.`.
  headlines.on("*", ({ event, data }, { id }) => console.log(event, id, data.text));
  return () => client.disconnect();
}
