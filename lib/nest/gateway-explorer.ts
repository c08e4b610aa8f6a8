import type { Type } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { ChannelDefinition } from '../core/channel-definition.js';
import type { HandlerRate } from '../core/limited-handler.js';
import { RESERVED_EVENT_PREFIX } from '../protocol/index.js';
import { normalizePath } from '../transport/index.js';
import type { AckedOptions } from './decorators/acked.decorator.js';
import {
  ACKED_METADATA,
  HANDSHAKE_GUARDS_METHOD,
  ON_HANDSHAKE_METADATA,
  RATE_LIMIT_METADATA,
  readMetadata,
  SUBSCRIBE_CHANNEL_METADATA,
  UNSUBSCRIBE_CHANNEL_METADATA,
} from './metadata.js';
import {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  MESSAGE_MAPPING_METADATA,
  MESSAGE_METADATA,
  PORT_METADATA,
} from './nest-internals.js';
import type { ScopedGateway } from './gateway-scopes.js';
import type { MethodHost } from './pipeline-compiler.js';

/** Options that a gateway's decorator may give. */
export type GatewayOptions = Readonly<Record<string, unknown>> & {
  readonly path?: string;
  readonly host?: string;
};

/** One method of a gateway that handles something. */
export interface GatewayMethod {
  readonly name: string;
  /** The event of `@SubscribeMessage`. */
  readonly event?: string;
  readonly acked: boolean;
  /** Acked, and beside the others of its connection. */
  readonly concurrent: boolean;
  readonly subscribes?: ChannelDefinition;
  /** The pattern of `@UnsubscribeChannel`. */
  readonly unsubscribes?: string;
  readonly onHandshake: boolean;
  readonly rate?: HandlerRate;
}

/** A gateway of the application with what its decorators say. */
export interface Gateway extends ScopedGateway {
  /** Depends on something request-scoped: each connection has an instance of its own. */
  readonly isScoped: boolean;
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly options: GatewayOptions;
  readonly methods: readonly GatewayMethod[];
  readonly guardsHandshake: boolean;
  /** Uses a decorator of this package: stock gateways keep their behaviour. */
  readonly usesChannels: boolean;
}

/**
 * Finds the gateways of the application, as Nest does.
 *
 * @throws TypeError for what cannot work, before anything listens
 */
export function exploreGateways(modules: ModulesContainer): readonly Gateway[] {
  const scanner = new MetadataScanner();
  const gateways: Gateway[] = [];
  for (const [moduleKey, module] of modules) {
    for (const wrapper of module.providers.values()) {
      const { metatype } = wrapper;
      if (wrapper.isNotMetatype || !metatype || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) continue;
      gateways.push({
        ...describe(wrapper.instance as object, metatype as Type, moduleKey, scanner),
        wrapperId: wrapper.id,
        isScoped: !wrapper.isDependencyTreeStatic(),
        isDurable: wrapper.isDependencyTreeDurable(),
      });
    }
  }
  return gateways;
}

/**
 * Finds the gateways that use no decorator of this package, by name. Reads classes only, so that it can be
 * asked before anything is constructed.
 */
export function findStockGateways(modules: ModulesContainer): readonly string[] {
  const scanner = new MetadataScanner();
  const isStock = ({ name, prototype }: Type): boolean => {
    const names = scanner.getAllMethodNames(prototype as object);
    const methods = names.map((method) => describeMethod(prototype as object, method, name));
    return !names.includes(HANDSHAKE_GUARDS_METHOD) && !methods.some(isOurs);
  };
  const found: string[] = [];
  for (const { providers } of modules.values()) {
    for (const { metatype } of providers.values()) {
      if (!metatype || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) continue;
      if (isStock(metatype as Type)) found.push(metatype.name);
    }
  }
  return found;
}

type Description = Omit<Gateway, keyof ScopedGateway | 'isScoped'> & MethodHost;

function describe(
  instance: object,
  metatype: Type,
  moduleKey: string,
  scanner: MetadataScanner,
): Description {
  const options = (Reflect.getMetadata(GATEWAY_OPTIONS, metatype) ?? {}) as GatewayOptions;
  const names = scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object);
  const methods = names.map((name) => describeMethod(instance, name, metatype.name));
  const guardsHandshake = names.includes(HANDSHAKE_GUARDS_METHOD);
  return {
    instance,
    moduleKey,
    name: metatype.name,
    port: (Reflect.getMetadata(PORT_METADATA, metatype) as number | undefined) ?? 0,
    path: normalizePath(options.path),
    options,
    methods,
    guardsHandshake,
    usesChannels: guardsHandshake || methods.some(isOurs),
  };
}

function describeMethod(instance: object, name: string, gateway: string): GatewayMethod {
  const method = (instance as Record<string, unknown>)[name];
  const options = readMetadata<AckedOptions>(ACKED_METADATA, method);
  const acked = options !== undefined;
  const isHandler = readMetadata(MESSAGE_MAPPING_METADATA, method) !== undefined;
  if (acked && !isHandler) {
    throw new TypeError(`${gateway}.${name}: @Acked() needs a @SubscribeMessage() beside it.`);
  }
  const subscribes = readMetadata<ChannelDefinition>(SUBSCRIBE_CHANNEL_METADATA, method);
  const rate = readMetadata<HandlerRate>(RATE_LIMIT_METADATA, method);
  if (rate && !isHandler && !subscribes) {
    throw new TypeError(
      `${gateway}.${name}: @RateLimit() needs a @SubscribeMessage() or a @SubscribeChannel() beside it.`,
    );
  }
  return {
    name,
    event: isHandler ? checkEvent(readMetadata(MESSAGE_METADATA, method), `${gateway}.${name}`) : undefined,
    acked,
    concurrent: options?.concurrent ?? false,
    subscribes,
    unsubscribes: readMetadata(UNSUBSCRIBE_CHANNEL_METADATA, method),
    onHandshake: readMetadata<boolean>(ON_HANDSHAKE_METADATA, method) ?? false,
    rate,
  };
}

function checkEvent(event: unknown, where: string): string {
  if (typeof event !== 'string') {
    throw new TypeError(
      `${where}: the event of @SubscribeMessage() must be a string, got ${JSON.stringify(event)}.`,
    );
  }
  if (event.startsWith(RESERVED_EVENT_PREFIX)) {
    throw new TypeError(
      `${where}: "${event}" is reserved, as all events that begin with "$" are; rename it.`,
    );
  }
  return event;
}

function isOurs({ acked, onHandshake, rate, subscribes, unsubscribes }: GatewayMethod): boolean {
  return acked || onHandshake || [rate, subscribes, unsubscribes].some((given) => given !== undefined);
}
