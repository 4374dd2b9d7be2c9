import { type JsonSchema, jsonSchema } from "@holdfast/protocol/describe";
import { mayBeLeftOut } from "@holdfast/protocol/internal";
import { type WireMessage, wireMessages } from "@holdfast/protocol/wire";
import type {
  Application,
  DocumentedChannel,
  DocumentedEvent,
  DocumentedRequest,
  DocumentedValue,
} from "./application.js";
import { DIRECT_CHANNELS } from "./application.js";
import type { Conversation, DocumentedMessage, Operation } from "./conversation.js";
import { wireSchema } from "./wire-schema.js";

/**
 * The messages of an application: each request and each event is a message of its own, with the
 * schemas of its values.
 */
export function applicationConversation(application: Application): Conversation {
  const content = new ApplicationContent();
  for (const request of application.requests) content.addRequest(request);
  for (const channel of application.channels) content.addChannel(channel);
  for (const event of application.direct)
    content.addEvent(`direct.${event.name}`, { enum: DIRECT_CHANNELS }, event, `Direct event ${event.name}.`);
  return content;
}

class ApplicationContent implements Conversation {
  readonly messages: DocumentedMessage[] = [];
  readonly operations: Operation[] = [];
  readonly schemas: { [name: string]: JsonSchema } = {};

  addRequest({ name, description, kind, input, output, errors, calls, answers }: DocumentedRequest): void {
    const place = `request.${name}`;
    const request = this.#message({
      id: place,
      name: "request",
      title: name,
      summary: description ?? `Calls ${name}.`,
      payload: payloadOf("request", input?.rich ?? false, {
        data: object(
          {
            name: { const: name },
            ...(input && { input: this.#schema(`${place}.input`, input) }),
            key: wireField("request", "data", "key"),
            timeout_ms: wireField("request", "data", "timeout_ms"),
          },
          ["name", ...(input && isRequired(input) ? ["input"] : [])],
        ),
      }),
      examples: calls,
    });
    const outcomes = [
      object({ ok: { const: true }, ...(output && { output: this.#schema(`${place}.output`, output) }) }, [
        "ok",
        ...(output && isRequired(output) ? ["output"] : []),
      ]),
      ...errors.map(({ code, value }) =>
        object(
          {
            ok: { const: false },
            error: object(
              {
                code: { const: code },
                message: { type: "string" },
                data: this.#schema(`${place}.error.${code}`, value),
              },
              ["code", "message", ...(isRequired(value) ? ["data"] : [])],
            ),
          },
          ["ok", "error"],
        ),
      ),
      object({ ok: { const: false }, error: wireErrorSchema() }, ["ok", "error"]),
    ];
    const response = this.#message({
      id: `response.${name}`,
      name: "response",
      title: `${name}, answered`,
      summary: `The response to ${name}: the output or an error.`,
      payload: payloadOf(
        "response",
        [output, ...errors.map(({ value }) => value)].some((value) => value?.rich),
        {
          data: { anyOf: outcomes },
        },
      ),
      examples: [...answers, ...errors.flatMap(({ answers: refusals }) => refusals)],
    });
    this.operations.push({
      id: `client.${request}`,
      sentBy: "client",
      title: name,
      summary: `${description ?? `Calls ${name}.`} A ${kind}.`,
      message: request,
      answer: response,
    });
  }

  addChannel({ name, key, events, state, presence }: DocumentedChannel): void {
    const channel = key ? { type: "string", pattern: `^${name.replaceAll(".", "\\.")}:` } : { const: name };
    if (key) this.#schema(`channel.${name}.key`, key);
    for (const event of events) this.addEvent(`event.${name}.${event.name}`, channel, event, `Published on ${name}.`);
    const send = (id: string, type: "state_sync" | "presence", value: DocumentedValue, frames: readonly unknown[]) => {
      const schema = this.#schema(`${id}.value`, value);
      const base = wireField(type, "data") as { properties?: { [name: string]: JsonSchema } };
      const data =
        type === "state_sync"
          ? { ...base, properties: { ...base.properties, state: schema } }
          : { ...base, properties: { ...base.properties, joined: withMemberData(base, schema) } };
      this.#send(
        this.#message({
          id,
          name: type,
          title: `${name}: ${type}`,
          summary: rowOf(type).sentWhen,
          payload: payloadOf(type, value.rich, { channel, data }),
          examples: frames,
        }),
        `${name}: ${type}`,
        rowOf(type).sentWhen,
      );
    };
    if (state) send(`state.${name}`, "state_sync", state, state.frames);
    if (presence) send(`presence.${name}`, "presence", presence, presence.frames);
  }

  addEvent(id: string, channel: JsonSchema, { name, value, frames }: DocumentedEvent, summary: string): void {
    const payload = payloadOf("event", value.rich, {
      channel,
      event: { const: name },
      data: this.#schema(`${id}.data`, value),
    });
    const required = [...(payload["required"] as string[]), ...(isRequired(value) ? ["data"] : [])].sort();
    const message = { id, name: "event", title: name, summary, payload: { ...payload, required }, examples: frames };
    this.#send(this.#message(message), name, summary);
  }

  #send(message: string, title: string, summary: string): void {
    this.operations.push({ id: `server.${message}`, sentBy: "server", title, summary, message });
  }

  #message(message: DocumentedMessage): string {
    const id = this.#unused(message.id);
    this.messages.push({ ...message, id });
    return id;
  }

  #schema(wanted: string, value: DocumentedValue): JsonSchema {
    const name = this.#unused(wanted);
    this.schemas[name] = jsonSchema(value.schema, { target: "draft-07" });
    return { $ref: `#/components/schemas/${name}` };
  }

  /**
   * Makes a name unique. Names may contain dots, so two places can give the same name, and payloads
   * and values share the components.
   */
  #unused(wanted: string): string {
    let candidate = wanted;
    for (let count = 2; candidate in this.schemas || this.messages.some(({ id }) => id === candidate); count++)
      candidate = `${wanted}-${count}`;
    return candidate;
  }
}

function rowOf(type: WireMessage["type"]): WireMessage {
  return wireMessages.find((row) => row.type === type) as WireMessage;
}

/**
 * The payload of a wire message with exact schemas for some of its fields. `meta` is present only
 * if a value may need it.
 */
function payloadOf(
  type: WireMessage["type"],
  isRich: boolean,
  exact: { readonly [field: string]: JsonSchema },
): JsonSchema {
  const schema = wireSchema(rowOf(type), { target: "draft-07" });
  const { meta, ...properties } = { ...(schema["properties"] as { [name: string]: JsonSchema }), ...exact };
  return { ...schema, properties: { ...properties, ...(isRich && meta && { meta }) } };
}

/** A field of a wire message, by its path. */
function wireField(type: WireMessage["type"], ...path: readonly string[]): JsonSchema {
  let found = wireSchema(rowOf(type), { target: "draft-07" });
  for (const name of path) found = (found["properties"] as { [name: string]: JsonSchema })[name] as JsonSchema;
  return found;
}

function wireErrorSchema(): JsonSchema {
  return { ...wireField("error", "data"), title: "A built-in error" };
}

function withMemberData(base: { properties?: { [name: string]: JsonSchema } }, data: JsonSchema): JsonSchema {
  const joined = base.properties?.["joined"] ?? {};
  const items = joined["items"] as { properties: object };
  return { ...joined, items: { ...items, properties: { ...items.properties, data } } };
}

function isRequired({ examples, schema }: DocumentedValue): boolean {
  return !mayBeLeftOut(schema) && examples.every(({ data }) => data !== undefined);
}

function object(properties: { readonly [name: string]: JsonSchema }, required: readonly string[]): JsonSchema {
  return { type: "object", properties, required };
}
