import type {
  ChannelContract,
  ClientMessage,
  Protocol,
  RequestContract,
  RequestKind,
  RichValue,
  Schema,
  ServerMessage,
  ValueSchema,
} from "@holdfast/protocol";
import { hashOf, readSchema } from "@holdfast/protocol/internal";
import { checkFrame, examplesOf } from "./examples.js";

/** A value of the application: the schema and examples in wire form. */
export interface DocumentedValue {
  readonly schema: Schema;
  readonly rich: boolean;
  readonly examples: readonly [RichValue, ...RichValue[]];
}

export interface DocumentedRequest {
  readonly name: string;
  readonly kind: RequestKind;
  readonly description: string | undefined;
  readonly input: DocumentedValue | undefined;
  readonly output: DocumentedValue | undefined;
  readonly errors: readonly DocumentedError[];
  readonly calls: readonly ClientMessage[];
  readonly answers: readonly ServerMessage[];
}

export interface DocumentedError {
  readonly code: string;
  readonly value: DocumentedValue;
  readonly answers: readonly ServerMessage[];
}

export interface DocumentedEvent {
  readonly name: string;
  readonly value: DocumentedValue;
  readonly frames: readonly ServerMessage[];
}

export interface DocumentedChannel {
  readonly name: string;
  /** The channel in a frame: `board`, or `board:7c1f` with an example of the key. */
  readonly wireExample: string;
  readonly description: string | undefined;
  readonly key: DocumentedValue | undefined;
  readonly history: ChannelContract["history"];
  readonly events: readonly DocumentedEvent[];
  readonly state: (DocumentedValue & { readonly frames: readonly ServerMessage[] }) | undefined;
  readonly presence:
    (DocumentedValue & { readonly frames: readonly ServerMessage[]; readonly said: ClientMessage }) | undefined;
  readonly subscribe: ClientMessage;
}

/**
 * A protocol with an example frame for each message. The reference and the AsyncAPI
 * document are both made from this tree.
 */
export interface Application {
  readonly name: string;
  readonly version: string;
  readonly description: string | undefined;
  readonly parameters: DocumentedValue | undefined;
  readonly requests: readonly DocumentedRequest[];
  readonly channels: readonly DocumentedChannel[];
  readonly direct: readonly DocumentedEvent[];
}

/**
 * The library's own channels for direct events: to all connections, and to chosen devices. The name
 * of a protocol's channel cannot begin with $.
 */
export const DIRECT_CHANNELS = ["$all", "$user"] as const;

/** @throws HoldfastError INVALID_PROTOCOL if an example does not match its schema */
export function documentProtocol(protocol: Protocol): Application {
  const { definition } = protocol;
  return {
    name: protocol.name,
    version: protocol.version,
    description: definition.description,
    parameters: protocol.parameters && documentValue(protocol.parameters, "parameters"),
    requests: [...protocol.requests.values()].map((contract) =>
      documentRequest(contract, definition.requests?.[contract.name]?.description),
    ),
    channels: [...protocol.channels.values()].map((contract) =>
      documentChannel(contract, definition.channels?.[contract.name]?.description),
    ),
    direct: [...protocol.direct].map(([name, value]) =>
      documentEvent(name, documentValue(value, `direct.${name}`), DIRECT_CHANNELS[1], false),
    ),
  };
}

function documentValue(value: ValueSchema, place: string): DocumentedValue {
  const schema = value.schema as Schema;
  return { schema, rich: readSchema(schema).rich.size > 0, examples: examplesOf(schema, place) };
}

function documentRequest(contract: RequestContract, description: string | undefined): DocumentedRequest {
  const { name, kind } = contract;
  const place = `requests.${name}`;
  const input = contract.input.schema && documentValue(contract.input, `${place}.input`);
  const output = contract.output.schema && documentValue(contract.output, `${place}.output`);
  const id = "5";
  const key = kind === "mutation" ? { key: "c81f3b" } : {};
  return {
    name,
    kind,
    description,
    input,
    output,
    calls: (input?.examples ?? [undefined]).map((example) =>
      client({
        type: "request",
        correlation_id: id,
        data: { name, ...(example?.data !== undefined && { input: example.data }), ...key },
        ...metaOf(example),
      }),
    ),
    answers: (output?.examples ?? [undefined]).map((example) =>
      server({
        type: "response",
        correlation_id: id,
        data: { ok: true, ...(example?.data !== undefined && { output: example.data }) },
        ...metaOf(example),
      }),
    ),
    errors: [...contract.errors].map(([code, value]) => {
      const documented = documentValue(value, `${place}.errors.${code}`);
      const message = `${name} was refused: ${code}.`;
      const answers = documented.examples.map((example) =>
        server({
          type: "response",
          correlation_id: id,
          data: { ok: false, error: { code, message, data: example.data } },
          ...metaOf(example),
        }),
      );
      return { code, value: documented, answers };
    }),
  };
}

function documentChannel(contract: ChannelContract, description: string | undefined): DocumentedChannel {
  const { name, history } = contract;
  const place = `channels.${name}`;
  const key = contract.key && documentValue(contract.key, `${place}.key`);
  const channel = key ? `${name}:${String(key.examples[0].data)}` : name;
  const state = contract.document && documentValue(contract.document, `${place}.state`);
  const presence = contract.presence && documentValue(contract.presence, `${place}.presence`);
  const position = { epoch: "b7Qx", offset: 41, id: "9fK2mW" };
  return {
    name,
    wireExample: channel,
    description,
    key,
    history,
    events: [...contract.events].map(([event, value]) =>
      documentEvent(event, documentValue(value, `${place}.events.${event}`), channel, history !== undefined),
    ),
    state: state && {
      ...state,
      frames: state.examples.map((example) =>
        server({
          type: "state_sync",
          channel,
          data: { state: example.data, version: 7, position, hash: hashOf(example.data) },
          ...metaOf(example),
        }),
      ),
    },
    presence: presence && {
      ...presence,
      frames: presence.examples.map((example) =>
        server({
          type: "presence",
          channel,
          data: {
            kind: "snapshot",
            joined: [
              {
                user_id: "u1",
                devices: ["laptop"],
                ...(example.data !== undefined && { data: example.data }),
                ...metaOf(example),
              },
            ],
            updated: [],
            left: [],
            count: 1,
          },
        }),
      ),
      said: client({
        type: "set_presence",
        correlation_id: "5",
        channel,
        ...(presence.examples[0].data !== undefined && { data: presence.examples[0].data }),
        ...metaOf(presence.examples[0]),
      }),
    },
    subscribe: client({
      type: "subscribe",
      correlation_id: "2",
      data: { channels: [history ? { channel, position } : channel] },
    }),
  };
}

function documentEvent(name: string, value: DocumentedValue, channel: string, chained: boolean): DocumentedEvent {
  const frames = value.examples.map((example) =>
    server({
      type: "event",
      channel,
      event: name,
      ...(example.data !== undefined && { data: example.data }),
      ...metaOf(example),
      ...(chained && { metadata: { offset: 42, id: "p3Vd8s", prev: "9fK2mW" } }),
    }),
  );
  return { name, value, frames };
}

function metaOf(example: RichValue | undefined): { meta?: unknown } {
  return example?.meta === undefined ? {} : { meta: example.meta };
}

function client(message: ClientMessage): ClientMessage {
  checkFrame("client", message);
  return message;
}

function server(message: ServerMessage): ServerMessage {
  checkFrame("server", message);
  return message;
}
