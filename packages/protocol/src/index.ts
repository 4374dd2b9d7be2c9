export {
  type ChannelContract,
  type ChannelDefinition,
  defineProtocol,
  type HistoryDefinition,
  isProtocol,
  type Protocol,
  type ProtocolDefinition,
  type RequestContract,
  type RequestDefinition,
  type RequestKind,
} from "./define-protocol.js";
export type * from "./infer.js";
export { type DeclaredError, isDeclaredError } from "./declared-error.js";
export { type ErrorDetails, HoldfastError, isHoldfastError } from "./errors.js";
export { type BuiltInErrorCode, type ErrorCode, errorCodes } from "./error-codes.js";
export {
  type CloseAction,
  closeCode,
  type CloseCode,
  type CloseCodeName,
  closeCodes,
  type CloseName,
  closeNumber,
} from "./close-codes.js";
export { PROTOCOL_VERSION, subprotocols } from "./version.js";
export type { ClientMessage, ClientMessageOf } from "./client-message.js";
export type { ServerMessage, ServerMessageOf } from "./server-message.js";
export type { Position, Link, ResetReason } from "./messages/position.js";
export type { PresenceMember } from "./messages/presence.js";
export type { SubscribeResult } from "./messages/subscribe-response.js";
export type { WireError } from "./messages/wire-error.js";
export type { Patch } from "./document/patches.js";
export type { RichValue } from "./codec/encode-value.js";
export type { ChannelId } from "./channel-id.js";
export type { Fault } from "./issues.js";
export type { Logger } from "./logger.js";
export type { Cancel } from "./cancel.js";
export type { PresentUser } from "./present-user.js";
export type { ReceivedBy, Schema, SentBy } from "./schema.js";
export type { Checked, ValueSchema } from "./value.js";
