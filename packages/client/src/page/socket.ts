import { host } from "../host.js";
import type { OpenSocket, SocketEnd, SocketListener } from "../socket-contract.js";

/**
 * In a page's production build: the platform's own WebSocket, or the class that the application
 * passes, opened directly. reconnecting-websocket and isomorphic-ws serve the full build (decision
 * 6). A page needs neither: the client's machine decides when to retry, and a browser has the
 * class.
 */
export const openSocket: OpenSocket = ({ url, subprotocols, WebSocket }, listener) => {
  /** Until it has ended, or was closed. */
  let live: SocketListener | undefined = listener;
  let raw: PageSocket | undefined;

  const end = (outcome: SocketEnd): void => {
    const told = live;
    live = undefined;
    told?.end(outcome);
  };

  // Later, as in the full build: closing at once opens nothing, and a class that throws ends the
  // attempt, not the caller.
  void Promise.resolve()
    .then(() => {
      if (!live) return;
      raw = new ((WebSocket ?? host.WebSocket) as PageSocketClass)(url, subprotocols);
      raw.binaryType = "arraybuffer";
      raw.addEventListener("open", () => live?.open());
      raw.addEventListener("message", ({ data }) =>
        live?.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer)),
      );
      raw.addEventListener("close", ({ code = 1006, reason = "" }) => end({ code, reason }));
    })
    .catch((cause: unknown) => end({ code: 1006, reason: "", cause }));

  return {
    // Before it is open the class would throw.
    send: (frame) => void (raw?.readyState === 1 && raw.send(frame)),
    close(code, reason) {
      if (live) raw?.close(code, reason);
      live = undefined;
    },
  };
};

// What is used of the class, declared here: its own types bring in the DOM.
type PageSocketClass = new (url: string, protocols: readonly string[]) => PageSocket;
interface PageSocket {
  binaryType: string;
  readonly readyState: number;
  addEventListener(
    type: "open" | "message" | "close",
    listener: (event: { data?: unknown; code?: number; reason?: string }) => void,
  ): void;
  send(frame: string): void;
  close(code: number, reason: string): void;
}
