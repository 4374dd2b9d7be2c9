import * as z from "zod/mini";
import { ack } from "./messages/ack.js";
import { auth } from "./messages/auth.js";
import { cancel } from "./messages/cancel.js";
import { listSubscriptions } from "./messages/list-subscriptions.js";
import { ping } from "./messages/ping.js";
import { pong } from "./messages/pong.js";
import { request } from "./messages/request.js";
import { setPresence } from "./messages/set-presence.js";
import { subscribe } from "./messages/subscribe.js";
import { unsubscribe } from "./messages/unsubscribe.js";
import type { Schema } from "./schema.js";

const messages = z.discriminatedUnion("type", [
  auth,
  subscribe,
  unsubscribe,
  listSubscriptions,
  request,
  cancel,
  ack,
  setPresence,
  ping,
  pong,
]);
export type ClientMessage = z.output<typeof messages>;

/**
 * The schema of every message that a client may send. Declared as `Schema`, so that the published
 * types depend on no version of zod.
 */
export const clientMessage: Schema<ClientMessage, unknown> = messages;

/** The client message with this `type`. */
export type ClientMessageOf<Type extends ClientMessage["type"]> = Extract<ClientMessage, { readonly type: Type }>;
