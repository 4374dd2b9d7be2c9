/** For tests: a server's connections without a network. */
export { type MemoryConnect, type MemoryRequest, type MemorySocket, MemoryTransport } from "./transport/memory.js";
