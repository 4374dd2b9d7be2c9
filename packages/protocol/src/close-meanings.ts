const meanings: { readonly [code: number]: string } = {
  1000: "it was no longer needed",
  1001: "the server is shutting down or the page was left",
  1002: "a frame broke the WebSocket protocol",
  1006: "the network or the other side went away without a word",
  1007: "a text frame was not valid UTF-8",
  1008: "a connection parameter is missing or invalid",
  1009: "a message was larger than the server accepts",
  1011: "the server failed",
  1012: "the server is restarting",
  1013: "the server has too many connections",
  4400: "what the client sent was not of the protocol",
  4401: "the credential is missing, invalid or expired",
  4403: "this user may not connect",
  4406: "there is no common version of the protocol",
  4408: "nothing was heard in time",
  4409: "a newer connection of the same device took its place",
  4413: "the client reads more slowly than it is sent to",
  4429: "too many messages or connections",
};

/**
 * Why a connection with this close code ended, in words that end the sentence "The connection ended
 * because …".
 */
export function meaningOf(code: number, _name: string): string {
  return meanings[code] ?? (code >= 4800 && code <= 4999 ? "the application ended it" : `of close code ${code}`);
}
