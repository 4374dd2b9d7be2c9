import * as z from "zod/mini";
import { authExpiring } from "./messages/auth-expiring.js";
import { authResponse } from "./messages/auth-response.js";
import { connected } from "./messages/connected.js";
import { error } from "./messages/error.js";
import { event } from "./messages/event.js";
import { goaway } from "./messages/goaway.js";
import { ping } from "./messages/ping.js";
import { pong } from "./messages/pong.js";
import { presence } from "./messages/presence.js";
import { reset } from "./messages/reset.js";
import { response } from "./messages/response.js";
import { stateDeleted } from "./messages/state-deleted.js";
import { stateSync } from "./messages/state-sync.js";
import { stateUpdate } from "./messages/state-update.js";
import { subscribeResponse } from "./messages/subscribe-response.js";
import { subscriptions } from "./messages/subscriptions.js";
import { unsubscribed } from "./messages/unsubscribed.js";
import { unsubscribeResponse } from "./messages/unsubscribe-response.js";
import type { Schema } from "./schema.js";

const messages = z.discriminatedUnion("type", [
  connected,
  authResponse,
  authExpiring,
  subscribeResponse,
  unsubscribeResponse,
  unsubscribed,
  subscriptions,
  response,
  event,
  reset,
  presence,
  stateSync,
  stateUpdate,
  stateDeleted,
  ping,
  pong,
  goaway,
  error,
]);
export type ServerMessage = z.output<typeof messages>;

/**
 * The schema of every message that a server may send. Declared as `Schema`, so that the published
 * types depend on no version of zod.
 */
export const serverMessage: Schema<ServerMessage, unknown> = messages;

/** The server message with this `type`. */
export type ServerMessageOf<Type extends ServerMessage["type"]> = Extract<ServerMessage, { readonly type: Type }>;
