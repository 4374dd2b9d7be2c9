import WebSocket from "ws";

// Browsers and Node 22 have a global WebSocket, and Node 20 has none.
globalThis.WebSocket ??= WebSocket;
