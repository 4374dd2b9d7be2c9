export { createServer } from "./create-server.js";
export type { AttachOptions, CloseOptions, Server } from "./server.js";
export type {
  AuthorizeQuestion,
  BaseServerOptions,
  CredentialOptions,
  DeviceOptions,
  HeartbeatOptions,
  JoinQuestion,
  Limits,
  PresenceQuestion,
  ServerOptions,
} from "./options.js";
export type { Authenticate, Credential, CredentialSource, Identity } from "./session/identity.js";
export type * from "./broker/broker.js";
export { memoryBroker } from "./broker/memory-broker.js";
export type { ChannelHandle, PresenceHandle } from "./channel/channel-handle.js";
export type { PublishOptions } from "./channel/publish-options.js";
export type { Published } from "./channel/published.js";
export type {
  Handler,
  Middleware,
  MiddlewareContext,
  RefusalCode,
  RefusalDetails,
  RequestContext,
} from "./dispatch/handlers.js";
export type { ServerEnvironment } from "./environment.js";
export type { Logger } from "./observe/logger.js";
export type { ServerStats } from "./observe/stats.js";
export type { DeliveryFailure } from "./session/acks.js";
export type { DeliveryReport, SendOptions } from "./session/direct.js";
export type { DisconnectOptions } from "./session/disconnect-options.js";
export type { Session, SessionEnd, SessionEvent } from "./session/session.js";
export type { RevokeOptions, SessionHandle } from "./session/session-handle.js";
export type { Device } from "./session/device.js";
export type { DisconnectUserOptions, SendToUserOptions, UserHandle } from "./session/user-handle.js";
export type { PartOf } from "./session/session-filter.js";
export type { DocumentWritten } from "./document/documents.js";
export type { LoadedDocument, DocumentHooks, DocumentOptions } from "./document/document-hooks.js";
export type { DeleteDocumentOptions, DocumentHandle } from "./document/document-handle.js";
export type { Listening, ListenOptions } from "./transport/listen.js";
export { HoldfastError, isHoldfastError, type PresentUser } from "@holdfast/protocol";
