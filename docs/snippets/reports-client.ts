import { type Client, isDeclaredError, isHoldfastError } from "@holdfast/client";
import { reports } from "./reports-protocol.js";

type Reports = Client<typeof reports.definition>;

/** Returns a search function that cancels the previous search, as a search field needs. */
export function latestSearch(client: Reports) {
  let current: AbortController | undefined;
  return (text: string) => {
    current?.abort();
    current = new AbortController();
    return client.request("report.search", { text }, { signal: current.signal, timeoutMs: 5_000 });
  };
}

/** Creates a report, and returns a sentence for the user. */
export async function createReport(client: Reports, title: string): Promise<string> {
  try {
    const { id } = await client.request("report.create", { title });
    return `Created ${id}`;
  } catch (error) {
    // `error.data` has the type that the request declares for this code.
    if (isDeclaredError(reports, "report.create", error)) return `Report ${error.data.id} has this title.`;
    if (!isHoldfastError(error)) throw error;
    switch (error.code) {
      case "INVALID_INPUT": // `error.field` is `input.title`
        return "Enter a title.";
      case "FORBIDDEN":
        return error.message;
      case "CONNECTION_LOST": // The report may or may not exist.
        return "The connection dropped. Check whether the report exists before you try again.";
      default:
        return "The report could not be created. Try again later.";
    }
  }
}
