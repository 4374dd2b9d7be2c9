export { type AttachOptions, type CloseOptions, createServer, type Server } from "./create-server.js";
export type { AuthorizeQuestion, HeartbeatOptions, Limits, ServerOptions } from "./options.js";
export type { Authenticate, Credential, CredentialSource, Identity } from "./auth/identity.js";
export type { CredentialOptions } from "./auth/credential.js";
export type { ChannelHandle } from "./channel/channel-handle.js";
export type { Published } from "./channel/channels.js";
export type {
  Handler,
  Middleware,
  MiddlewareContext,
  RefusalCode,
  RefusalDetails,
  RequestContext,
} from "./dispatch/handlers.js";
export type { Environment } from "./environment.js";
export type { Logger } from "./observe/logger.js";
export type { ServerStats } from "./observe/stats.js";
export type { Session } from "./session/session.js";
export type { Listening, ListenOptions } from "./transport/listen.js";
export { HoldfastError, isHoldfastError } from "@holdfast/protocol";
