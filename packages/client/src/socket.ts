import type { Cancel } from "@holdfast/protocol";
import IsomorphicWebSocket from "isomorphic-ws";
import reconnecting from "reconnecting-websocket";
import { chooseWebSocket, construct, type RawSocket, watchEnd } from "./raw-socket.js";
import type { OpenSocket, SocketEnd } from "./socket-contract.js";

/**
 * One socket for one attempt, and the only file that names reconnecting-websocket and
 * isomorphic-ws. The class behind it is chosen in raw-socket.ts.
 *
 * reconnecting-websocket is only the wire here; whether and when to try again is the machine's
 * business. Its defects are kept out by five habits: a static url (a rejected url function would
 * stop it for good), a new instance for each attempt (after its first end its lock is never
 * released), no queue (it would send before `auth`), no timeout of its own (it would remove the
 * error listener that keeps `ws` from ending the process), and reading the end from the raw socket
 * (after an error it reports code 1000).
 */
export const openSocket: OpenSocket = (target, listener, clock) => {
  let isLive = true;
  let stopWatch: Cancel | undefined;

  const settle = (code: number, reason: string): void => {
    stopWatch?.();
    isLive = false;
    // Also after the other side closed: it is what keeps the package from trying again.
    wire.close(code, reason);
  };
  const end = (outcome: SocketEnd): void => {
    if (!isLive) return;
    settle(1000, "");
    listener.end(outcome);
  };

  // Not a subclass, because `new` may throw (no WebSocket here, a url it does not take), and a
  // throw inside the package is an unhandled rejection.
  const Watched = function (url: string, protocols: readonly string[]): object {
    let raw: RawSocket;
    try {
      raw = construct(chooseWebSocket(target.WebSocket, IsomorphicWebSocket), url, protocols);
    } catch (cause) {
      // Later, so that the package has the object to close.
      void Promise.resolve().then(() => end({ code: 1006, reason: "", cause }));
      return inert;
    }
    // First, before the package's own, which closes the socket and would hide the true code.
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
  // Its default, "blob", throws on React Native.
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

/** ESM, CommonJS and bundlers disagree on where the class is. */
function reconnectingWebSocket(): LibrarySocketConstructor {
  const found = reconnecting as unknown as LibrarySocketConstructor | { default: LibrarySocketConstructor };
  return typeof found === "function" ? found : found.default;
}

const inert = { readyState: 0, addEventListener() {}, removeEventListener() {}, close() {} };

// What is used of it, declared here: its own types bring in the DOM.
type LibrarySocketConstructor = new (url: string, protocols: readonly string[], options: object) => LibrarySocket;
interface LibrarySocket {
  binaryType: string;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  send(frame: string): void;
  close(code: number, reason: string): void;
  reconnect(): void;
}
