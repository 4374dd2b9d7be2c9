const meanings: { readonly [code: number]: string } = {
  1000: "it was no longer needed",
  1001: "the server is shutting down or the user left the page",
  1002: "a frame broke the WebSocket protocol",
  1006: "the connection was lost (the network or the server is unavailable)",
  1007: "a text frame was not valid UTF-8",
  1008: "a connection parameter is missing or invalid",
  1009: "a message was larger than the server accepts",
  1011: "an internal error happened on the server",
  1012: "the server is restarting",
  1013: "the server has too many connections",
  4400: "the client sent something that the protocol does not allow",
  4401: "the credential is missing, invalid or expired",
  4403: "this user may not connect",
  4406: "client and server have no protocol version in common",
  4408: "the other side did not answer the heartbeat in time",
  4409: "a newer connection of the same device replaced it",
  4413: "the client reads more slowly than the server sends",
  4429: "there were too many messages or connections",
};

/**
 * Why a connection with this close code ended, as the end of the sentence "The connection ended
 * because …".
 */
export function meaningOf(code: number, _name: string): string {
  return meanings[code] ?? (code >= 4800 && code <= 4999 ? "the application closed it" : `of close code ${code}`);
}
