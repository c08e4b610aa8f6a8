import { ContextIdFactory, ModuleRef, type ModulesContainer } from '@nestjs/core';
import type { Connection } from '../core/connection.js';
import { Injector, REQUEST_CONTEXT_ID } from './nest-internals.js';
import type { MethodHost } from './pipeline-compiler.js';

/** What Nest knows of a gateway that depends on something request-scoped. */
export interface ScopedGateway extends MethodHost {
  readonly wrapperId: string;
  readonly isDurable: boolean;
}

/**
 * Gives each connection instances of its own of the gateways that depend on something request-scoped, as
 * Nest 12 does: the "request" is the client, and lives as long as the connection. The instances go with it.
 */
export class GatewayScopes {
  readonly #injector = new Injector();
  readonly #hosts = new WeakMap<Connection, Map<ScopedGateway, MethodHost>>();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly moduleRef: ModuleRef,
  ) {}

  /** Makes the instances of a connection, before any code of theirs runs. */
  async load(connection: Connection, gateways: readonly ScopedGateway[]): Promise<void> {
    const hosts = await Promise.all(
      gateways.map(async (gateway) => [gateway, await this.make(gateway, connection.info.socket)] as const),
    );
    this.#hosts.set(connection, new Map(hosts));
  }

  /** Nothing where {@link load} has failed: then no code of the gateway has run for this connection. */
  find(connection: Connection, gateway: ScopedGateway): MethodHost | undefined {
    return this.#hosts.get(connection)?.get(gateway);
  }

  /** @throws Error where there is none */
  of(connection: Connection, gateway: ScopedGateway): MethodHost {
    const host = this.find(connection, gateway);
    if (!host) throw new Error('The request-scoped gateways of this connection are not there.');
    return host;
  }

  /** Makes an instance for whoever asks: a client, or the request of a handshake. */
  async make(gateway: ScopedGateway, asker: object): Promise<MethodHost> {
    const module = this.modules.get(gateway.moduleKey);
    if (!module) throw new Error(`The module of ${gateway.instance.constructor.name} is gone.`);
    const contextId = this.#contextOf(asker, gateway.isDurable);
    const made = await this.#injector.loadPerContext<object>(
      gateway.instance,
      module,
      module.providers as never,
      contextId,
    );
    // What Nest has put on the gateway itself: the servers of @WebSocketServer().
    const instance = Object.assign(made, gateway.instance);
    return { instance, moduleKey: gateway.moduleKey, contextId, inquirerId: gateway.wrapperId };
  }

  /** As stock Nest keeps it, so that `ContextIdFactory.getByRequest(client)` gives the application the same. */
  #contextOf(asker: object, isDurable: boolean): ReturnType<typeof ContextIdFactory.create> {
    const contextId = ContextIdFactory.getByRequest(asker as Record<string, unknown>);
    if (REQUEST_CONTEXT_ID in asker) return contextId;
    Object.defineProperty(asker, REQUEST_CONTEXT_ID, { value: contextId, configurable: true });
    const payload = (contextId as { payload?: object }).payload;
    this.moduleRef.registerRequestByContextId(isDurable ? payload : Object.assign(asker, payload), contextId);
    return contextId;
  }
}
