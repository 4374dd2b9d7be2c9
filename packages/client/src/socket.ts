import type { Cancel } from "@holdfast/protocol";
import IsomorphicWebSocket from "isomorphic-ws";
import reconnecting from "reconnecting-websocket";
import { chooseWebSocket, construct, type RawSocket, watchEnd } from "./raw-socket.js";
import type { OpenSocket, SocketEnd } from "./socket-contract.js";

/**
 * Opens one socket for one attempt. Only this file imports reconnecting-websocket and
 * isomorphic-ws. raw-socket.ts chooses the WebSocket class.
 *
 * The client's state machine decides when to retry, so reconnecting-websocket only carries frames.
 * Its defects are avoided as follows:
 * - the url is static, because a rejected url function would stop the package for good
 * - each attempt has a new instance, because the package never releases its lock after the first
 *   end
 * - its queue is off, because it would send frames before `auth`
 * - its timeout is off, because it would remove the `error` listener that keeps `ws` from ending
 *   the process
 * - the end is read from the raw socket, because the package reports code 1000 after an error
 */
export const openSocket: OpenSocket = (target, listener, clock) => {
  let isLive = true;
  let stopWatch: Cancel | undefined;

  const settle = (code: number, reason: string): void => {
    stopWatch?.();
    isLive = false;
    // Called even after the server has closed the connection, because only this call prevents the
    // package from retrying.
    wire.close(code, reason);
  };
  const end = (outcome: SocketEnd): void => {
    if (!isLive) return;
    settle(1000, "");
    listener.end(outcome);
  };

  // A function instead of a subclass, because the constructor may throw (no WebSocket class, or an
  // invalid url), and an exception inside the package becomes an unhandled rejection.
  const Watched = function (url: string, protocols: readonly string[]): object {
    let raw: RawSocket;
    try {
      raw = construct(chooseWebSocket(target.WebSocket, IsomorphicWebSocket), url, protocols);
    } catch (cause) {
      // In a microtask, so that the package has received the object to close.
      void Promise.resolve().then(() => end({ code: 1006, reason: "", cause }));
      return inert;
    }
    // Registered before the package's own listeners, which close the socket and would hide the real
    // code.
    stopWatch = watchEnd(raw, clock, end);
    return raw;
  };

  const wire = new (reconnectingWebSocket())(target.url, target.subprotocols, {
    WebSocket: Object.assign(Watched, { CLOSING: 2 }),
    startClosed: true,
    maxRetries: 0,
    maxEnqueuedMessages: 0,
    connectionTimeout: 2 ** 31 - 1,
  });
  // The package's default, "blob", throws on React Native.
  wire.binaryType = "arraybuffer";
  wire.addEventListener("open", () => void (isLive && listener.open()));
  wire.addEventListener("message", ({ data }) => {
    if (isLive) listener.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  });
  wire.reconnect();

  return {
    send: (frame) => wire.send(frame),
    close: (code, reason) => void (isLive && settle(code, reason)),
  };
};

/** ESM, CommonJS and bundlers export the class differently. */
function reconnectingWebSocket(): LibrarySocketConstructor {
  const found = reconnecting as unknown as LibrarySocketConstructor | { default: LibrarySocketConstructor };
  return typeof found === "function" ? found : found.default;
}

const inert = { readyState: 0, addEventListener() {}, removeEventListener() {}, close() {} };

// The members that the client uses. The declarations are here, because the package's own types
// require DOM types.
type LibrarySocketConstructor = new (url: string, protocols: readonly string[], options: object) => LibrarySocket;
interface LibrarySocket {
  binaryType: string;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  send(frame: string): void;
  close(code: number, reason: string): void;
  reconnect(): void;
}
