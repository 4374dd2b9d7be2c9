import { host } from "../host.js";
import type { RawConstructor, RawSocket } from "../raw-socket.js";
import type { SocketEnd, WebSocketConstructor } from "../socket.js";

/** In a page's production build: the platform's own class, of which nothing is known beyond the standard. */
export function chooseWebSocket(given: WebSocketConstructor | undefined, isomorphic: unknown): RawConstructor {
  return (given ?? host.WebSocket ?? isomorphic) as RawConstructor;
}

export function construct(Chosen: RawConstructor, url: string, protocols: readonly string[]): RawSocket {
  return new Chosen(url, protocols);
}

export function watchEnd(raw: RawSocket, _clock: unknown, end: (end: SocketEnd) => void): undefined {
  raw.addEventListener("close", ({ code = 1006, reason = "" }) => end({ code, reason }));
}
