/**
 * What a server understands and says, as a type: the contract of a {@link ChannelsClient}.
 *
 * @example
 * ```ts
 * interface ChatApi {
 *   messages: { 'chat.send': (data: { room: string; text: string }) => { id: string } };
 *   requests: { confirm: (data: { text: string }) => boolean };
 *   events: { notice: { text: string } };
 *   channels: { 'chat:{room}': { joined: Message[]; events: { message: Message } } };
 * }
 * ```
 *
 * @publicApi
 */
export interface ClientApi {
  /** Messages to the server: what a handler takes and returns. A method without parameter takes no data. */
  messages?: object;
  /** Requests of the server: what a handler of the client takes and gives. */
  requests?: object;
  /** Events of the server that belong to no channel, and their data. */
  events?: object;
  /** Channels by their patterns. */
  channels?: object;
}

/**
 * One channel of a {@link ClientApi}.
 *
 * @publicApi
 */
export interface ChannelApi {
  /** What the `@SubscribeChannel` method takes as its message body. */
  params?: unknown;
  /** What the `@SubscribeChannel` method returns. */
  joined?: unknown;
  /** The publications, and their data. */
  events?: object;
}

/** The contract of a client that was given none: any name, and data of which nothing is known. */
export interface UntypedApi {
  messages: { [event: string]: (data?: unknown) => unknown };
  requests: { [event: string]: (data: unknown) => unknown };
  events: { [event: string]: unknown };
  channels: { [name: string]: { params?: unknown; joined: unknown; events: { [event: string]: unknown } } };
}

type Section<Api extends ClientApi, Name extends keyof ClientApi> = Api[Name] extends object
  ? Api[Name]
  : Record<never, never>;

/** The names of the messages that may be sent. */
export type MessageName<Api extends ClientApi> = keyof Section<Api, 'messages'> & string;

type Method<Api extends ClientApi, Name> = Section<Api, 'messages'>[Name & keyof Section<Api, 'messages'>];

/** What goes along with a message: its data, as its handler takes it. */
export type MessageArguments<Api extends ClientApi, Name> =
  Method<Api, Name> extends (...args: infer Arguments) => unknown ? DataArgument<Arguments> : never;

type DataArgument<Arguments extends readonly unknown[]> = Arguments extends readonly []
  ? [data?: undefined]
  : Arguments extends readonly [infer Data, ...unknown[]]
    ? [data: Data]
    : [data?: Arguments[0]];

/** What `send` resolves with. */
export type MessageAnswer<Api extends ClientApi, Name> =
  Method<Api, Name> extends (...args: never[]) => infer Answer ? Awaited<Answer> : never;

/** The names of the requests that the server makes. */
export type RequestName<Api extends ClientApi> = keyof Section<Api, 'requests'> & string;

type Request<Api extends ClientApi, Name> = Section<Api, 'requests'>[Name & keyof Section<Api, 'requests'>];

/** What goes along with a request of the server. */
export type RequestData<Api extends ClientApi, Name> =
  Request<Api, Name> extends (...args: infer Arguments) => unknown ? Arguments[0] : never;

/** What a handler of the client gives. */
export type RequestAnswer<Api extends ClientApi, Name> =
  Request<Api, Name> extends (...args: never[]) => infer Answer ? Awaited<Answer> : never;

/** The names of the events that may be listened to. */
export type EventName<Api extends ClientApi> = keyof Section<Api, 'events'> & string;

export type EventData<Api extends ClientApi, Name> = Section<Api, 'events'>[Name &
  keyof Section<Api, 'events'>];

type Patterns<Api extends ClientApi> = keyof Section<Api, 'channels'> & string;

/** A pattern as the names that it matches: `chat:{room}` as `chat:${string}`. */
type NamesOf<Pattern extends string> = Pattern extends `${infer Head}{${string}}${infer Tail}`
  ? `${Head}${string}${NamesOf<Tail>}`
  : Pattern;

/** The names of the channels that may be joined. */
export type ChannelName<Api extends ClientApi> = NamesOf<Patterns<Api>>;

/** Whether a name has the segments of a pattern; a parameter is one segment. */
type Matches<Name extends string, Pattern extends string> = Pattern extends `${infer Segment}:${infer Rest}`
  ? Name extends `${infer NameSegment}:${infer NameRest}`
    ? MatchesSegment<NameSegment, Segment> extends true
      ? Matches<NameRest, Rest>
      : false
    : false
  : Name extends `${string}:${string}`
    ? false
    : MatchesSegment<Name, Pattern>;

type MatchesSegment<Segment extends string, Pattern extends string> = Pattern extends `{${string}}`
  ? true
  : string extends Pattern
    ? true
    : Segment extends Pattern
      ? true
      : false;

/** The part of the contract that describes the channel of this name. */
export type ChannelOf<Api extends ClientApi, Name extends string> = {
  [Pattern in Patterns<Api>]: string extends Pattern
    ? Section<Api, 'channels'>[Pattern]
    : Matches<Name, Pattern> extends true
      ? Section<Api, 'channels'>[Pattern]
      : never;
}[Patterns<Api>];

/** The names of a channel's publications. */
export type PublicationName<Of> = Of extends { events: infer Events } ? keyof Events & string : never;

export type PublicationData<Of, Name> = Of extends { events: infer Events }
  ? Events[Name & keyof Events]
  : never;

/** What the `@SubscribeChannel` method of a channel returns. */
export type Joined<Of> = Of extends { joined: infer Data } ? Data : undefined;

export type ChannelParams<Of> = Of extends { params?: infer Params } ? Params : undefined;
