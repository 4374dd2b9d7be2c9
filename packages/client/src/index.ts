export { type Client, createClient, type RequestArguments } from "./create-client.js";
export type { BaseOptions, ClientOptions, Logger, TokenSource } from "./options.js";
export type { Channel } from "./channel.js";
export { type ChannelPresence, presenceOf } from "./presence.js";
export type { Presence } from "./presence-list.js";
export { type ChannelDocument, documentOf } from "./document.js";
export { keepPositions, type PositionKeeper, type PositionStorage } from "./keep-positions.js";
export type { ChannelStatus } from "./subscriptions-state.js";
export type { CloseInfo, CloseInfoName, SessionInfo, Status } from "./connection-state.js";
export type { EventInfo } from "./event.js";
export type { ErrorContext, ErrorListener } from "./errors.js";
export type { AbortSignalLike, WaitOptions } from "./patience.js";
export type { Clock } from "./clock.js";
export type { ClientEnvironment, EnvironmentOption, Hint, Hints } from "./environment.js";
export type { Observable } from "./observable.js";
export type {
  OpenSocket,
  Socket,
  SocketEnd,
  SocketListener,
  SocketTarget,
  WebSocketConstructor,
} from "./socket-contract.js";
export { type Cancel, HoldfastError, isDeclaredError, isHoldfastError, type PresentUser } from "@holdfast/protocol";
