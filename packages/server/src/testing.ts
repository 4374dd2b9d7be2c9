/** For tests: connects clients to a server in the same process, without a network. */
export { type MemoryConnect, type MemoryRequest, type MemorySocket, MemoryTransport } from "./transport/memory.js";
