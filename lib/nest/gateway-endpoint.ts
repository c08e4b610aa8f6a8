import { DecodeError } from '../codec/index.js';
import { CHANNEL_SYNTAX, defineChannel, type ChannelDefinition } from '../core/channel-definition.js';
import type { Connection } from '../core/connection.js';
import type { ChannelRoute, Endpoint } from '../core/endpoint.js';
import type { Handler } from '../core/handler.interface.js';
import type { Observers } from '../core/observers.js';
import { Pattern, PatternTable } from '../core/pattern.js';
import { TimedHandler } from '../core/timed-handler.js';
import type { MessageParser } from './channels-options.interface.js';
import type { Gateway, GatewayMethod } from './gateway-explorer.js';
import type { GatewayScopes } from './gateway-scopes.js';
import type { MessageCompiler } from './message-compiler.js';

/** Nest's lifecycle hooks of a gateway. */
interface GatewayHooks {
  handleConnection?(client: unknown, request: unknown): unknown;
  handleDisconnect?(client: unknown, reason: unknown): unknown;
}

export interface GatewayEndpointParts {
  readonly path: string;
  readonly gateways: readonly Gateway[];
  readonly compiler: MessageCompiler;
  readonly scopes: GatewayScopes;
  /** The parser of the application, where it has set one. */
  readonly parser: () => MessageParser | undefined;
  readonly observers: Observers;
  readonly maxMessageBytes: number;
  readonly isUnlimited: boolean;
  readonly answersPings: boolean;
  readonly deflatesFrom: number | undefined;
  readonly warn: (message: string) => void;
}

/** The gateways of one path, compiled into one table. */
export class GatewayEndpoint implements Endpoint {
  readonly handlers: ReadonlyMap<string, readonly Handler[]>;
  readonly channels = new PatternTable<ChannelRoute>(CHANNEL_SYNTAX);
  readonly #connecting: readonly Gateway[];
  readonly #disconnecting: readonly Gateway[];
  readonly #scoped: readonly Gateway[];

  constructor(private readonly parts: GatewayEndpointParts) {
    this.handlers = this.#compileHandlers();
    this.#compileChannels();
    this.#connecting = withHook(parts.gateways, 'handleConnection');
    this.#disconnecting = withHook(parts.gateways, 'handleDisconnect');
    this.#scoped = parts.gateways.filter(({ isScoped }) => isScoped);
  }

  get path(): string {
    return this.parts.path;
  }

  get parse(): ((message: string | Uint8Array) => unknown) | undefined {
    const parser = this.parts.parser();
    return parser && ((message) => this.#parse(parser, message));
  }

  #parse(parser: MessageParser, message: string | Uint8Array): unknown {
    try {
      // As the stock adapter hands it over: text as text, bytes as a Buffer.
      return parser(typeof message === 'string' ? message : asBuffer(message));
    } catch (error) {
      this.#report('messageParser', withoutText(error));
      throw new DecodeError('the message cannot be read', 'bad_frame');
    }
  }

  get maxMessageBytes(): number {
    return this.parts.maxMessageBytes;
  }

  get isUnlimited(): boolean {
    return this.parts.isUnlimited;
  }

  get answersPings(): boolean {
    return this.parts.answersPings;
  }

  get deflatesFrom(): number | undefined {
    return this.parts.deflatesFrom;
  }

  connected(connection: Connection, request: unknown): Promise<void> | void {
    if (this.#scoped.length === 0) return this.#connect(connection, request);
    return this.parts.scopes.load(connection, this.#scoped).then(() => this.#connect(connection, request));
  }

  #connect(connection: Connection, request: unknown): Promise<void> | void {
    let pending: Promise<unknown>[] | undefined;
    for (const gateway of this.#connecting) {
      const hooks = this.#hooksOf(connection, gateway);
      const result = attempt(() => hooks?.handleConnection?.(connection.info.socket, request));
      if (result) (pending ??= []).push(result);
    }
    if (pending) return this.#settle(pending);
  }

  disconnected(connection: Connection, code: number): Promise<void> | void {
    let pending: Promise<unknown>[] | undefined;
    for (const gateway of this.#disconnecting) {
      const result = attempt(() =>
        this.#hooksOf(connection, gateway)?.handleDisconnect?.(connection.info.socket, code),
      );
      if (result)
        (pending ??= []).push(result.catch((error: unknown) => this.#report('handleDisconnect', error)));
    }
    if (pending) return Promise.all(pending).then(() => undefined);
  }

  #hooksOf(connection: Connection, gateway: Gateway): GatewayHooks | undefined {
    return gateway.isScoped ? this.parts.scopes.find(connection, gateway)?.instance : gateway.instance;
  }

  /** Waits for all of them: a gateway that is content may still be busy when another one refuses. */
  async #settle(pending: readonly Promise<unknown>[]): Promise<void> {
    const results = await Promise.allSettled(pending);
    const [first, ...others] = results.filter((result) => result.status === 'rejected');
    for (const other of others) this.#report('handleConnection', other.reason);
    if (first) throw first.reason;
  }

  #report(where: string, error: unknown): void {
    this.parts.observers.failed({ where, error });
  }

  #compileHandlers(): Map<string, Handler[]> {
    const table = new Map<string, Handler[]>();
    const owners = new Map<string, { readonly gateway: Gateway; readonly method: GatewayMethod }>();
    for (const gateway of this.parts.gateways) {
      for (const [event, method] of lastOfEachEvent(gateway)) {
        const earlier = owners.get(event);
        if (earlier) this.#checkShared(event, earlier, { gateway, method });
        else owners.set(event, { gateway, method });
        const { compiler, observers } = this.parts;
        const compiled = compiler.compile(gateway, {
          name: method.name,
          event,
          pattern: event,
          acked: method.acked,
          concurrent: method.concurrent,
          guards: true,
          rate: method.rate,
        });
        const handler = observers.mayMeasureHandlers ? new TimedHandler(compiled, observers) : compiled;
        table.set(event, [...(table.get(event) ?? []), handler]);
      }
    }
    return table;
  }

  #checkShared(event: string, a: Owner, b: Owner): void {
    const names = `${a.gateway.name}.${a.method.name} and ${b.gateway.name}.${b.method.name}`;
    if (a.method.acked || b.method.acked) {
      throw new TypeError(
        `${names} both handle "${event}" on ${this.path}, but an @Acked() event has one handler; rename one.`,
      );
    }
    this.parts.warn(
      `${names} both handle "${event}" on ${this.path}: of a message with an id the first one answers.`,
    );
  }

  #compileChannels(): void {
    const routes = new Map<string, ChannelRoute>();
    for (const gateway of this.parts.gateways) {
      for (const method of gateway.methods) {
        if (method.subscribes) this.#addSubscribe(routes, gateway, method, method.subscribes);
        if (method.unsubscribes !== undefined)
          this.#addUnsubscribe(routes, gateway, method, method.unsubscribes);
      }
    }
    for (const [pattern, route] of routes) this.channels.add(new Pattern(pattern, CHANNEL_SYNTAX), route);
  }

  #addSubscribe(
    routes: Map<string, ChannelRoute>,
    gateway: Gateway,
    method: GatewayMethod,
    definition: ChannelDefinition,
  ): void {
    const { pattern } = definition;
    const known = routes.get(pattern);
    if (known?.subscribe) {
      throw new TypeError(
        `${gateway.name}.${method.name}: "${pattern}" has a @SubscribeChannel() already; keep one of them.`,
      );
    }
    const subscribe = this.#compileChannelMethod(gateway, method, '$subscribe', pattern);
    routes.set(pattern, { ...known, definition, subscribe });
  }

  #addUnsubscribe(
    routes: Map<string, ChannelRoute>,
    gateway: Gateway,
    method: GatewayMethod,
    pattern: string,
  ): void {
    const known = routes.get(pattern);
    if (known?.unsubscribe) {
      throw new TypeError(
        `${gateway.name}.${method.name}: "${pattern}" has an @UnsubscribeChannel() already; keep one of them.`,
      );
    }
    const unsubscribe = this.#compileChannelMethod(gateway, method, '$unsubscribe', pattern);
    routes.set(pattern, {
      definition: known?.definition ?? defineChannel(pattern),
      subscribe: known?.subscribe,
      unsubscribe,
    });
  }

  #compileChannelMethod(
    gateway: Gateway,
    { name, rate }: GatewayMethod,
    event: '$subscribe' | '$unsubscribe',
    pattern: string,
  ): Handler {
    return this.parts.compiler.compile(gateway, {
      name,
      event,
      pattern,
      acked: true,
      concurrent: false,
      guards: event === '$subscribe',
      rate: event === '$subscribe' ? rate : undefined,
    });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function withHook(gateways: readonly Gateway[], hook: keyof GatewayHooks): readonly Gateway[] {
  return gateways.filter(({ instance }) => typeof (instance as GatewayHooks)[hook] === 'function');
}

interface Owner {
  readonly gateway: Gateway;
  readonly method: GatewayMethod;
}

/** Within one gateway the last method of an event takes it, as in stock Nest. */
function lastOfEachEvent({ methods }: Gateway): Map<string, GatewayMethod> {
  const byEvent = new Map<string, GatewayMethod>();
  for (const method of methods) if (method.event !== undefined) byEvent.set(method.event, method);
  return byEvent;
}

/** The promise of a hook, a rejection for what it throws, nothing where it has finished at once. */
function attempt(hook: () => unknown): Promise<unknown> | undefined {
  try {
    const result = hook();
    return isThenable(result) ? Promise.resolve(result) : undefined;
  } catch (error) {
    return Promise.reject(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** What a parser says of a message may repeat it. */
function withoutText(error: unknown): Error {
  const bare = new Error(`it has thrown ${error instanceof Error ? error.name : typeof error}`);
  if (error instanceof Error) bare.stack = error.stack;
  return bare;
}
