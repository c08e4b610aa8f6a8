import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Handler } from '../core/handler.interface.js';
import { LimitedHandler, type HandlerRate } from '../core/limited-handler.js';
import type { Gateway } from './gateway-explorer.js';
import { ForbiddenMessage, MessagePipeline } from './message-pipeline.js';
import {
  ContextUtils,
  CUSTOM_ROUTE_ARGS_METADATA,
  ROUTE_ARGS_METADATA,
  WsParamtype,
} from './nest-internals.js';
import type { GatewayScopes } from './gateway-scopes.js';
import { PipelineCompiler, type GlobalEnhancers, type MethodHost } from './pipeline-compiler.js';
import { ScopedHandler } from './scoped-handler.js';

/** What a method of a gateway is compiled for. */
interface MessageMethod {
  readonly name: string;
  readonly event: string;
  readonly pattern: string;
  readonly acked: boolean;
  readonly concurrent: boolean;
  /** Clean-up runs without guards. */
  readonly guards: boolean;
  readonly rate?: HandlerRate;
}

/** Compiles the methods of gateways into the engine's handlers. */
export class MessageCompiler {
  readonly #compiler: PipelineCompiler;
  readonly #utils = new ContextUtils();

  constructor(
    modules: ModulesContainer,
    config: ApplicationConfig,
    private readonly globals: GlobalEnhancers,
    private readonly scopes: GatewayScopes,
  ) {
    this.#compiler = new PipelineCompiler(modules, config);
  }

  compile(gateway: Gateway, method: MessageMethod): Handler {
    const handler = this.#compile(gateway, method);
    const { event, pattern, rate } = method;
    return rate ? new LimitedHandler(handler, `${gateway.path} ${event} ${pattern}`, rate) : handler;
  }

  #compile(gateway: Gateway, method: MessageMethod): Handler {
    if (!gateway.isScoped) return this.#compileFor(gateway, method);
    return new ScopedHandler(method.event, method.acked, method.concurrent, (connection) =>
      this.#compileFor(this.scopes.of(connection, gateway), method),
    );
  }

  #compileFor(gateway: MethodHost, method: MessageMethod): Handler {
    const pipeline = this.#compiler.compile(gateway, method.name, {
      contextType: 'ws',
      globals: this.globals,
      classEnhancers: true,
      guards: method.guards,
      extract: extractParam,
      // What stock Nest hands to a method without parameter decorators.
      defaultParams: [WsParamtype.SOCKET, WsParamtype.PAYLOAD, WsParamtype.ACK],
      forbidden: () => new ForbiddenMessage(),
      answersOnce: method.acked,
    });
    const filters = this.#compiler.filters(gateway, method.name);
    const params = this.#paramKeys(gateway.instance, method.name);
    const acksByHand = params.some((key) => Number(this.#utils.mapParamType(key)) === WsParamtype.ACK);
    const decorated = params.some((key) => key.includes(CUSTOM_ROUTE_ARGS_METADATA));
    return new MessagePipeline({ ...method, pipeline, filters, acksByHand, decorated });
  }

  /** Under which Nest keeps what the decorators of the parameters say. */
  #paramKeys(instance: object, methodName: string): string[] {
    const params = this.#utils.reflectCallbackMetadata<Record<string, unknown>>(
      instance,
      methodName,
      ROUTE_ARGS_METADATA,
    );
    return Object.keys(params ?? {});
  }
}

/** The values of Nest's own parameter decorators for messages. */
function extractParam(kind: number, key: string | undefined, args: readonly unknown[]): unknown {
  switch (kind) {
    case WsParamtype.SOCKET:
      return args[0];
    case WsParamtype.PAYLOAD:
      return key === undefined ? args[1] : (args[1] as Record<string, unknown> | null | undefined)?.[key];
    case WsParamtype.ACK:
      return args.find((arg) => typeof arg === 'function');
    default:
      return null;
  }
}
