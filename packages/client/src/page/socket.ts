import { host } from "../host.js";
import type { OpenSocket, SocketEnd, SocketListener } from "../socket-contract.js";

/**
 * A page's production build opens the page's WebSocket, or the class that the application passes,
 * directly. The full build uses reconnecting-websocket and isomorphic-ws (decision 6). A page needs
 * neither, because the client's state machine decides when to retry and every browser has
 * WebSocket.
 */
export const openSocket: OpenSocket = ({ url, subprotocols, WebSocket }, listener) => {
  /** Undefined after the socket has ended or was closed. */
  let live: SocketListener | undefined = listener;
  let raw: PageSocket | undefined;

  const end = (outcome: SocketEnd): void => {
    const told = live;
    live = undefined;
    told?.end(outcome);
  };

  // In a microtask, as in the full build: if the client closes at once, no socket is opened, and a
  // class that throws ends the attempt instead of throwing to the caller.
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
    // A browser's `send` throws before the socket is open.
    send: (frame) => void (raw?.readyState === 1 && raw.send(frame)),
    close(code, reason) {
      if (live) raw?.close(code, reason);
      live = undefined;
    },
  };
};

// The members that the client uses. The declarations are here, because the class's own types
// require DOM types.
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
