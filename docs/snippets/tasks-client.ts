import { type Client, isHoldfastError } from "@holdfast/client";
import type { tasksV2 } from "./tasks-v2.js";

type Tasks = Client<typeof tasksV2.definition>;

/** Calls `offerReload` when the server runs a major version that this page does not know. */
export function watchVersion(client: Tasks, offerReload: () => void): () => void {
  return client.status.subscribe((status) => {
    if (status.name === "closed" && status.reason.name === "UNSUPPORTED_PROTOCOL") offerReload();
  });
}

/** Removes a task. Resolves to false if the server is too old to remove tasks. */
export async function removeTask(client: Tasks, id: string): Promise<boolean> {
  try {
    await client.request("task.remove", { id });
    return true;
  } catch (error) {
    if (isHoldfastError(error) && error.code === "UNKNOWN_REQUEST") return false;
    throw error;
  }
}
