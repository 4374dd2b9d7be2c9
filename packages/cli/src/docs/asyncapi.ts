import { subprotocols } from "@holdfast/protocol";
import { type JsonSchema, jsonSchema } from "@holdfast/protocol/describe";
import type { Application } from "./application.js";
import { applicationConversation } from "./application-conversation.js";
import { type Conversation, type DocumentedMessage, type Operation, wireConversation } from "./conversation.js";

interface Head {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

/**
 * Wire messages that carry values of an application. The application's document lists one message
 * for each value instead.
 */
const SPOKEN_FOR: ReadonlySet<string> = new Set(["request", "response", "event", "presence", "state_sync"]);

/**
 * An AsyncAPI 3.1.0 document of an application: requests, events, and all other messages of
 * the wire.
 *
 * @param server the address of the server, such as `wss://example.com/ws`
 */
export function applicationAsyncApi(application: Application, server: string): unknown {
  const { name, version, description, parameters } = application;
  const own = applicationConversation(application);
  const wire = wireConversation((type) => !SPOKEN_FOR.has(type));
  return documentOf(
    { title: name, version, description: description ?? `The protocol ${name}.` },
    {
      messages: [...own.messages, ...wire.messages],
      operations: [...own.operations, ...wire.operations],
      schemas: own.schemas,
    },
    server,
    parameters && jsonSchema(parameters.schema, { target: "draft-07" }),
  );
}

/** An AsyncAPI 3.1.0 document of the wire protocol itself. */
export function wireAsyncApi(head: Head, server: string): unknown {
  return documentOf(
    head,
    wireConversation(() => true),
    server,
    undefined,
  );
}

/** The document describes the server: the server receives the messages of clients. */
function documentOf(
  info: Head,
  { messages, operations, schemas }: Conversation,
  server: string,
  parameters: JsonSchema | undefined,
): unknown {
  const { protocol, host, pathname } = new URL(server);
  return {
    asyncapi: "3.1.0",
    info,
    defaultContentType: "application/json",
    servers: {
      main: {
        host,
        protocol: protocol.replace(":", ""),
        description:
          `WebSocket, subprotocol ${subprotocols.json}. The credential is one of: a bearer token in the Authorization ` +
          "header, a cookie, or a token in the query string if the server allows this. Without any of these, the client sends `auth` as the " +
          "first message within 5 s.",
        security: Object.keys(securitySchemes).map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
      },
    },
    channels: {
      connection: {
        address: pathname,
        title: "The connection",
        description: "One connection carries all requests, responses and events of joined channels.",
        servers: [{ $ref: "#/servers/main" }],
        messages: Object.fromEntries(messages.map(({ id }) => [id, { $ref: `#/components/messages/${id}` }])),
        bindings: { ws: { method: "GET", ...(parameters && { query: parameters }), bindingVersion: "0.1.0" } },
      },
    },
    operations: Object.fromEntries(operations.map((operation) => [operation.id, operationObject(operation)])),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.id, messageObject(message)])),
      schemas: Object.fromEntries([
        ...messages.map(({ id, payload }) => [id, payload]),
        ...Object.entries(schemas).flatMap(([name, schema]) => placed(name, schema)),
      ]) as unknown,
      correlationIds: {
        correlation_id: {
          description: "Connects a response to its request.",
          location: "$message.payload#/correlation_id",
        },
      },
      securitySchemes,
    },
  };
}

const securitySchemes = {
  bearer: { type: "http", scheme: "bearer", description: "Authorization: Bearer …, with the upgrade." },
  cookie: {
    type: "httpApiKey",
    in: "cookie",
    name: "sid",
    description: "A cookie, with the upgrade. The server's configuration sets the name of the cookie.",
  },
  query: {
    type: "httpApiKey",
    in: "query",
    name: "token",
    description: "?token=…, if the server allows this format. Meant for scripts, because URLs end up in logs.",
  },
} as const;

function operationObject({ sentBy, title, summary, message, answer }: Operation): unknown {
  const channel = { $ref: "#/channels/connection" };
  const at = (id: string) => ({ $ref: `#/channels/connection/messages/${id}` });
  return {
    action: sentBy === "client" ? "receive" : "send",
    channel,
    title,
    summary,
    messages: [at(message)],
    ...(answer && { reply: { channel, messages: [at(answer)] } }),
  };
}

function messageObject({ id, name, title, summary, examples }: DocumentedMessage): unknown {
  return {
    name,
    title,
    summary,
    contentType: "application/json",
    correlationId: { $ref: "#/components/correlationIds/correlation_id" },
    payload: { $ref: `#/components/schemas/${id}` },
    examples: examples.map((payload, index) => ({ name: `${id}-${index + 1}`, payload })),
  };
}

/**
 * A schema as components: definitions move beside the schema, and references point to their new
 * place.
 */
function placed(name: string, schema: JsonSchema): [name: string, schema: unknown][] {
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) =>
        key === "$ref" && typeof child === "string"
          ? [
              key,
              child.replace(/^#(\/definitions\/)?/, (_, inside) => `#/components/schemas/${name}${inside ? "." : ""}`),
            ]
          : [key, move(child)],
      ),
    );
  };
  const { definitions, ...rest } = schema;
  const parts = Object.entries((definitions ?? {}) as { [part: string]: unknown });
  return [[name, move(rest)], ...parts.map(([part, inner]): [string, unknown] => [`${name}.${part}`, move(inner)])];
}
