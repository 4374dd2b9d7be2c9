import WebSocket from "ws";

// Node 20 has no WebSocket of its own; every browser and Node 22 have.
globalThis.WebSocket ??= WebSocket;
