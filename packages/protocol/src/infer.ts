import type { ChannelDefinition, Protocol, ProtocolDefinition, RequestDefinition } from "./define-protocol.js";
import type { ReceivedBy, Schema, SentBy } from "./schema.js";

/**
 * The only clever types. `Sent…` is what the sender of a value holds, without it what the receiver
 * gets.
 */

type RequestDefinitions<P extends ProtocolDefinition> = P["requests"] extends object
  ? P["requests"]
  : Record<never, never>;
type ChannelDefinitions<P extends ProtocolDefinition> = P["channels"] extends object
  ? P["channels"]
  : Record<never, never>;
type DirectDefinitions<P extends ProtocolDefinition> = P["direct"] extends object ? P["direct"] : Record<never, never>;

/** The definition of a protocol value: `DefinitionOf<typeof agents>`. */
export type DefinitionOf<P> = P extends Protocol<infer Definition> ? Definition : never;

export type RequestName<P extends ProtocolDefinition> = keyof RequestDefinitions<P> & string;
type RequestOf<P extends ProtocolDefinition, N> = N extends keyof RequestDefinitions<P>
  ? RequestDefinitions<P>[N]
  : never;

/** The input as its handler gets it. */
export type InputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { input: infer S extends Schema } ? ReceivedBy<S> : undefined;
/** The input as its caller gives it. */
export type SentInputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { input: infer S extends Schema } ? SentBy<S> : undefined;
/** The output as its caller gets it. */
export type OutputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { output: infer S extends Schema } ? ReceivedBy<S> : undefined;
/** The output as its handler returns it. */
export type SentOutputOf<P extends ProtocolDefinition, N extends RequestName<P>> =
  RequestOf<P, N> extends { output: infer S extends Schema } ? SentBy<S> : undefined | void;

type ErrorDefinitions<R> = R extends { errors: infer E extends NonNullable<RequestDefinition["errors"]> }
  ? E
  : Record<never, never>;
/** The codes of the errors a request declares. */
export type ErrorCodeOf<P extends ProtocolDefinition, N extends RequestName<P>> = keyof ErrorDefinitions<
  RequestOf<P, N>
> &
  string;
/** The data of a declared error, as it is thrown. */
export type SentErrorDataOf<
  P extends ProtocolDefinition,
  N extends RequestName<P>,
  C extends ErrorCodeOf<P, N>,
> = SentBy<ErrorDefinitions<RequestOf<P, N>>[C]>;
/** The data of a declared error, as it is caught. */
export type ErrorDataOf<
  P extends ProtocolDefinition,
  N extends RequestName<P>,
  C extends ErrorCodeOf<P, N>,
> = ReceivedBy<ErrorDefinitions<RequestOf<P, N>>[C]>;

export type ChannelName<P extends ProtocolDefinition> = keyof ChannelDefinitions<P> & string;
type ChannelOf<P extends ProtocolDefinition, C> = C extends keyof ChannelDefinitions<P>
  ? ChannelDefinitions<P>[C]
  : never;

/**
 * The arguments that name a channel beyond its name: the key, if the channel declares one. If `C`
 * is a union of channels, the key has to fit each of them. No argument does if only some of them
 * declare a key.
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
 * The key of a channel, as its schema gives it, such as a union of texts; `undefined` if the
 * channel declares none.
 */
export type KeyOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  C extends ChannelName<P>
    ? // A key is always a text, also if the protocol is a type parameter and its schema is unknown.
      ChannelOf<P, C> extends { key: infer S extends Schema }
      ? ReceivedBy<S> & string
      : undefined
    : never;

type Events<Ch> = Ch extends { events: infer E extends NonNullable<ChannelDefinition["events"]> }
  ? E
  : Record<never, never>;
export type EventName<P extends ProtocolDefinition, C extends ChannelName<P>> = keyof Events<ChannelOf<P, C>> & string;
/** The data of an event, as a handler gets it. */
export type EventOf<P extends ProtocolDefinition, C extends ChannelName<P>, E extends EventName<P, C>> = ReceivedBy<
  Events<ChannelOf<P, C>>[E]
>;
/** The data of an event, as it is published. */
export type SentEventOf<P extends ProtocolDefinition, C extends ChannelName<P>, E extends EventName<P, C>> = SentBy<
  Events<ChannelOf<P, C>>[E]
>;

export type DirectName<P extends ProtocolDefinition> = keyof DirectDefinitions<P> & string;
/** The data of a direct event, as a handler gets it. */
export type DirectOf<P extends ProtocolDefinition, E extends DirectName<P>> = ReceivedBy<DirectDefinitions<P>[E]>;

/** The data of a direct event, as it is sent. */
export type SentDirectOf<P extends ProtocolDefinition, E extends DirectName<P>> = SentBy<DirectDefinitions<P>[E]>;

/** `playback` and `playback.queue` of `playback.queue.added`. */
type PrefixOf<Name> = Name extends `${infer Head}.${infer Tail}` ? Head | `${Head}.${PrefixOf<Tail>}` : never;
/** The names of a group: `playback.` and more for `playback.*`, any name for `*`. */
type NameIn<G> = G extends `${infer Prefix}.*` ? `${Prefix}.${string}` : string;
/**
 * The events of a group, told apart by `event`. A conditional type, so that it has the events of
 * each channel of a union.
 */
type EventIn<Definitions, G> = Definitions extends unknown
  ? {
      [E in keyof Definitions & NameIn<G>]: { readonly event: E; readonly data: ReceivedBy<Definitions[E]> };
    }[keyof Definitions & NameIn<G>]
  : never;

/** Groups of a channel's events by the dots in their names: `playback.*`; and `*`, all of them. */
export type EventGroup<P extends ProtocolDefinition, C extends ChannelName<P>> = `${PrefixOf<EventName<P, C>>}.*` | "*";
/** An event of a group, as a handler gets it: told apart by `event`. */
export type EventOfGroup<P extends ProtocolDefinition, C extends ChannelName<P>, G extends EventGroup<P, C>> = EventIn<
  Events<ChannelOf<P, C>>,
  G
>;
/** Groups of direct events by the dots in their names: `playback.*`; and `*`, all of them. */
export type DirectGroup<P extends ProtocolDefinition> = `${PrefixOf<DirectName<P>>}.*` | "*";
/** A direct event of a group, as a handler gets it: told apart by `event`. */
export type DirectOfGroup<P extends ProtocolDefinition, G extends DirectGroup<P>> = EventIn<DirectDefinitions<P>, G>;

/** Channels that know who is on them. */
export type PresenceChannelName<P extends ProtocolDefinition> = ChannelName<P> &
  {
    [C in ChannelName<P>]: ChannelOf<P, C> extends { presence: Schema } ? C : never;
  }[ChannelName<P>];
/**
 * What is seen of a user on a channel, as a reader gets it; `never` where the channel declares no
 * presence.
 */
export type PresenceOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { presence: infer S extends Schema } ? ReceivedBy<S> : never;
/** The same, as it is given. */
export type SentPresenceOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { presence: infer S extends Schema } ? SentBy<S> : never;

/** Channels that a document belongs to. */
export type DocumentChannelName<P extends ProtocolDefinition> = ChannelName<P> &
  {
    [C in ChannelName<P>]: ChannelOf<P, C> extends { document: Schema } ? C : never;
  }[ChannelName<P>];
/** The document of a channel, as a reader gets it; `never` where the channel declares no state. */
export type DocumentOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { document: infer S extends Schema } ? ReceivedBy<S> : never;
/** The same, as it is given. */
export type SentDocumentOf<P extends ProtocolDefinition, C extends ChannelName<P>> =
  ChannelOf<P, C> extends { document: infer S extends Schema } ? SentBy<S> : never;

/** A value that many hold: nobody changes any part of it. */
export type Immutable<T> = T extends string | number | boolean | bigint | symbol | null | undefined | Date
  ? T
  : T extends (...args: never) => unknown
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<Immutable<K>, Immutable<V>>
      : T extends ReadonlySet<infer Item>
        ? ReadonlySet<Immutable<Item>>
        : { readonly [Key in keyof T]: Immutable<T[Key]> };

/** The connection parameters as the server gets them. */
export type ParametersOf<P extends ProtocolDefinition> = P extends { parameters: infer S extends Schema }
  ? ReceivedBy<S>
  : undefined;
/** The connection parameters as a client gives them. */
export type SentParametersOf<P extends ProtocolDefinition> = P extends { parameters: infer S extends Schema }
  ? SentBy<S>
  : undefined;
