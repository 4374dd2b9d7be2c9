import type { ChannelDefinition, Protocol, ProtocolDefinition, RequestDefinition } from "./define-protocol.js";
import type { ReceivedBy, Schema, SentBy } from "./schema.js";

/**
 * The types that follow from a definition. A name with `Sent` is the type that the sender of a
 * value passes: fields with a default may be left out. The same name without `Sent` is the type
 * that the receiver gets: defaults are filled in.
 */

type RequestDefinitions<P extends ProtocolDefinition> = P["requests"] extends object
  ? P["requests"]
  : Record<never, never>;
type ChannelDefinitions<P extends ProtocolDefinition> = P["channels"] extends object
  ? P["channels"]
  : Record<never, never>;
type DirectDefinitions<P extends ProtocolDefinition> = P["direct"] extends object ? P["direct"] : Record<never, never>;

/** The definition of a protocol: `DefinitionOf<typeof agents>`. */
export type DefinitionOf<P> = P extends Protocol<infer Definition> ? Definition : never;

/** The names of the requests. */
export type RequestName<P extends ProtocolDefinition> = keyof RequestDefinitions<P> & string;
type RequestOf<P extends ProtocolDefinition, N> = N extends keyof RequestDefinitions<P>
  ? RequestDefinitions<P>[N]
  : never;

/** The input of a request, as the handler receives it. */
export type InputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { input: infer S extends Schema } ? ReceivedBy<S> : undefined;
/** The input of a request, as the caller passes it. */
export type SentInputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { input: infer S extends Schema } ? SentBy<S> : undefined;
/** The output of a request, as the caller receives it. */
export type OutputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { output: infer S extends Schema } ? ReceivedBy<S> : undefined;
/** The output of a request, as the handler returns it. */
export type SentOutputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { output: infer S extends Schema } ? SentBy<S> : undefined | void;

type ErrorDefinitions<R> = R extends { errors: infer E extends NonNullable<RequestDefinition["errors"]> }
  ? E
  : Record<never, never>;
/** The codes of the errors that a request declares. */
export type ErrorCodeOf<P extends ProtocolDefinition, N extends RequestName<P>> = keyof ErrorDefinitions<
  RequestOf<P, N>
> &
  string;
/** The data of a declared error, as the handler throws it. */
export type SentErrorDataOf<
  P extends ProtocolDefinition,
  N extends RequestName<P>,
  C extends ErrorCodeOf<P, N>,
> = SentBy<ErrorDefinitions<RequestOf<P, N>>[C]>;
/** The data of a declared error, as the caller catches it. */
export type ErrorDataOf<
  P extends ProtocolDefinition,
  N extends RequestName<P>,
  C extends ErrorCodeOf<P, N>,
> = ReceivedBy<ErrorDefinitions<RequestOf<P, N>>[C]>;

/** The names of the channels. */
export type ChannelName<P extends ProtocolDefinition> = keyof ChannelDefinitions<P> & string;
type ChannelOf<P extends ProtocolDefinition, C> = C extends keyof ChannelDefinitions<P>
  ? ChannelDefinitions<P>[C]
  : never;

/**
 * The arguments that follow the name of a channel: its key, if the channel declares one. If `C` is
 * a union of channels, the key has to fit all of these channels; if only some declare a key, no
 * argument is accepted.
 */
export type KeyArguments<P extends ProtocolDefinition, C extends ChannelName<P>> = [
  Extract<ChannelOf<P, C>, { key: Schema }>,
] extends [never]
  ? []
  : (C extends ChannelName<P> ? (key: SentKeyIn<ChannelOf<P, C>>) => void : never) extends (key: infer Key) => void
    ? [key: Key]
    : never;
type SentKeyIn<Ch> = Ch extends { key: infer S extends Schema } ? SentBy<S> : undefined;
/**
 * The key of a channel as its schema gives it, for example a union of strings; `undefined` if the
 * channel declares no key.
 */
export type KeyOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  C extends ChannelName<P>
    ? // A key is always a string, even if the protocol is a type parameter and its schema is unknown.
      ChannelOf<P, C> extends { key: infer S extends Schema }
      ? ReceivedBy<S> & string
      : undefined
    : never;

type Events<Ch> = Ch extends { events: infer E extends NonNullable<ChannelDefinition["events"]> }
  ? E
  : Record<never, never>;
/** The names of the events of a channel. */
export type EventName<P extends ProtocolDefinition, C extends ChannelName<P>> = keyof Events<ChannelOf<P, C>> & string;
/** The data of an event, as a handler receives it. */
export type EventOf<P extends ProtocolDefinition, C extends ChannelName<P>, E extends EventName<P, C>> = ReceivedBy<
  Events<ChannelOf<P, C>>[E]
>;
/** The data of an event, as it is published. */
export type SentEventOf<P extends ProtocolDefinition, C extends ChannelName<P>, E extends EventName<P, C>> = SentBy<
  Events<ChannelOf<P, C>>[E]
>;

/** The names of the direct events. */
export type DirectName<P extends ProtocolDefinition> = keyof DirectDefinitions<P> & string;
/** The data of a direct event, as a handler receives it. */
export type DirectOf<P extends ProtocolDefinition, E extends DirectName<P>> = ReceivedBy<DirectDefinitions<P>[E]>;

/** The data of a direct event, as the server sends it. */
export type SentDirectOf<P extends ProtocolDefinition, E extends DirectName<P>> = SentBy<DirectDefinitions<P>[E]>;

/** The prefixes of a name: `playback` and `playback.queue` for `playback.queue.added`. */
type PrefixOf<Name> = Name extends `${infer Head}.${infer Tail}` ? Head | `${Head}.${PrefixOf<Tail>}` : never;
/**
 * The names that a group matches: names that begin with `playback.` for `playback.*`, any name for
 * `*`.
 */
type NameIn<G> = G extends `${infer Prefix}.*` ? `${Prefix}.${string}` : string;
/**
 * The events of a group, as a union over `event`. The type is conditional, so that it distributes
 * over a union of channels.
 */
type EventIn<Definitions, G> = Definitions extends unknown
  ? {
      [E in keyof Definitions & NameIn<G>]: { readonly event: E; readonly data: ReceivedBy<Definitions[E]> };
    }[keyof Definitions & NameIn<G>]
  : never;

/**
 * The groups of a channel's events: `playback.*` for names that begin with `playback.`, and `*` for
 * all events.
 */
export type EventGroup<P extends ProtocolDefinition, C extends ChannelName<P>> = `${PrefixOf<EventName<P, C>>}.*` | "*";
/** An event of a group, as a handler receives it. Switch over `event` to narrow `data`. */
export type EventOfGroup<P extends ProtocolDefinition, C extends ChannelName<P>, G extends EventGroup<P, C>> = EventIn<
  Events<ChannelOf<P, C>>,
  G
>;
/**
 * The groups of direct events: `playback.*` for names that begin with `playback.`, and `*` for all
 * direct events.
 */
export type DirectGroup<P extends ProtocolDefinition> = `${PrefixOf<DirectName<P>>}.*` | "*";
/** A direct event of a group, as a handler receives it. Switch over `event` to narrow `data`. */
export type DirectOfGroup<P extends ProtocolDefinition, G extends DirectGroup<P>> = EventIn<DirectDefinitions<P>, G>;

/** The names of the channels with presence. */
export type PresenceChannelName<P extends ProtocolDefinition> = ChannelName<P> &
  {
    [C in ChannelName<P>]: ChannelOf<P, C> extends { presence: Schema } ? C : never;
  }[ChannelName<P>];
/**
 * The presence data of a user, as other members receive it; `never` if the channel declares no
 * presence.
 */
export type PresenceOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { presence: infer S extends Schema } ? ReceivedBy<S> : never;
/** The presence data of a user, as it is set. */
export type SentPresenceOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { presence: infer S extends Schema } ? SentBy<S> : never;

/** The names of the channels with a document. */
export type DocumentChannelName<P extends ProtocolDefinition> = ChannelName<P> &
  {
    [C in ChannelName<P>]: ChannelOf<P, C> extends { document: Schema } ? C : never;
  }[ChannelName<P>];
/**
 * The document of a channel, as a reader receives it; `never` if the channel declares no document.
 */
export type DocumentOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { document: infer S extends Schema } ? ReceivedBy<S> : never;
/** The document of a channel, as the server sets it. */
export type SentDocumentOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { document: infer S extends Schema } ? SentBy<S> : never;

/** A value that several readers share: no reader may change any part. */
export type Immutable<T> = T extends string | number | boolean | bigint | symbol | null | undefined | Date
  ? T
  : T extends (...args: never) => unknown
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<Immutable<K>, Immutable<V>>
      : T extends ReadonlySet<infer Item>
        ? ReadonlySet<Immutable<Item>>
        : { readonly [Key in keyof T]: Immutable<T[Key]> };

/** The connection parameters that the server receives. */
export type ParametersOf<P extends ProtocolDefinition> = P extends { parameters: infer S extends Schema }
  ? ReceivedBy<S>
  : undefined;
/** The connection parameters that a client passes. */
export type SentParametersOf<P extends ProtocolDefinition> = P extends { parameters: infer S extends Schema }
  ? SentBy<S>
  : undefined;
