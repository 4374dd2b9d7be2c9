import type { DeviceKind } from "../protocol.js";
import { describeDevice } from "./device-name.js";

/**
 * Each tab is a separate device. Its id is in sessionStorage, which survives a reload of the tab
 * and is invisible to other tabs.
 *
 * "Duplicate tab" copies sessionStorage, however, and two tabs with one id would disconnect each
 * other. Therefore each tab holds a lock named after its id. A tab that does not get the lock
 * within this time is a duplicate, and takes a new id. The time is not zero, because a reloaded
 * page may have to wait until the previous page has released the lock.
 */
const LOCK_WAIT_MS = 500;

export interface OwnDevice {
  readonly id: string;
  readonly kind: DeviceKind;
  name: string;
  /** True until the first list shows which names the user's other devices have. */
  isNameDefault: boolean;
}

export async function ownDevice(): Promise<OwnDevice> {
  const known = sessionStorage.getItem("device-id");
  const keeps = known !== null && (await hold(known));
  const id = keeps ? known : newId();
  if (!keeps) {
    sessionStorage.setItem("device-id", id);
    await hold(id);
  }
  const { name, kind } = describeDevice(navigator.userAgent);
  const kept = keeps ? sessionStorage.getItem("device-name") : null;
  return { id, kind, name: kept ?? name, isNameDefault: kept === null };
}

export function keepName(name: string): void {
  sessionStorage.setItem("device-name", name);
}

function hold(id: string): Promise<boolean> {
  // Browsers provide locks only on https and localhost. Without locks, the connection of a
  // duplicate replaces the connection of its original.
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = (): Promise<never> => {
      resolve(true);
      // This promise never resolves, so the page holds the lock until it is closed.
      return new Promise(() => {});
    };
    navigator.locks
      .request(`device ${id}`, { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, held)
      .catch(() => resolve(false));
  });
}

/** Not `crypto.randomUUID`, which exists only on https and localhost. */
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
