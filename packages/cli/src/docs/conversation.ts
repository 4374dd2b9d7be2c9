import type { JsonSchema } from "@holdfast/protocol/describe";
import { type Direction, type WireMessage, wireMessages } from "@holdfast/protocol/wire";
import { wireSchema } from "./wire-schema.js";

/** A message of an AsyncAPI document. */
export interface DocumentedMessage {
  /** The key of the message among the components. */
  readonly id: string;
  /** The `type` on the wire. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** JSON Schema draft 7, the dialect of AsyncAPI. */
  readonly payload: JsonSchema;
  readonly examples: readonly unknown[];
}

/** A message and the response, if the message has a response. */
export interface Operation {
  readonly id: string;
  readonly sentBy: Direction;
  readonly title: string;
  readonly summary: string;
  readonly message: string;
  /** The id of the response. */
  readonly answer?: string;
}

/** The content of an AsyncAPI document: all messages between client and server. */
export interface Conversation {
  readonly messages: readonly DocumentedMessage[];
  readonly operations: readonly Operation[];
  /** Schemas that payloads refer to, by name. */
  readonly schemas: { readonly [name: string]: JsonSchema };
}

/** The wire messages that a document contains unchanged. */
export function wireConversation(has: (type: WireMessage["type"]) => boolean): Conversation {
  const rows = wireMessages.filter(({ type }) => has(type));
  // Both sides send ping and pong, so each is one message with two operations.
  const messages = new Map(rows.map((row) => [row.type, row]));
  return {
    messages: [...messages.values()].map((row) => ({
      id: row.type,
      name: row.type,
      title: row.type,
      summary: row.sentWhen,
      payload: wireSchema(row, { target: "draft-07" }),
      examples: [row.example],
    })),
    operations: rows
      // A response is part of the operation that requests it.
      .filter(({ type, sentBy }) => !rows.some((row) => row.answeredBy === type && row.sentBy !== sentBy))
      .map(({ type, sentBy, sentWhen, answeredBy }) => ({
        id: `${sentBy}.${type}`,
        sentBy,
        title: type,
        summary: sentWhen,
        message: type,
        ...(answeredBy && { answer: answeredBy }),
      })),
    schemas: {},
  };
}
