import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { Engine } from '../core/engine.js';
import {
  createWebSocketServer,
  defaultBody,
  deflateOptions,
  ExceptionChannelSocket,
  findDeflateFault,
  normalizePath,
  UpgradeServer,
} from '../transport/index.js';
import type { ChannelsModuleOptions, MessageParser } from './channels-options.interface.js';
import { compressionThreshold, trustedHops } from './engine-options.js';
import { GatewayEndpoint, type GatewayEndpointParts } from './gateway-endpoint.js';
import { exploreGateways, type Gateway, type GatewayOptions } from './gateway-explorer.js';
import { GatewayHandshake } from './gateway-handshake.js';
import { GatewayScopes } from './gateway-scopes.js';
import { nestMajor, resolveGlobals } from './globals.js';
import { OriginGuard } from './guards/origin.guard.js';
import { MessageCompiler } from './message-compiler.js';
import { OwnPortServers } from './own-port-servers.js';
import { CHANNELS_OPTIONS } from './tokens.js';

type WebSocketServer = ReturnType<typeof createWebSocketServer>;

/** Older ones emit their exceptions on the socket. */
const FIRST_MAJOR_THAT_SENDS = 12;

/** The port that stands for the application's own HTTP server. */
const APPLICATION_PORT = 0;

/**
 * Serves the gateways of the application. Nest asks it for a server for each path; everything else,
 * from the upgrade to the answer, it does itself: one listener and one parse per message, no matter
 * how many gateways share a path. `ChannelsModule` installs it.
 *
 * @publicApi
 */
@Injectable()
export class ChannelsAdapter extends WsAdapter {
  readonly #log = new Logger('Channels');
  readonly #upgrades = new Map<number, UpgradeServer>();
  readonly #servers = new Map<string, WebSocketServer>();
  readonly #ownPorts = new OwnPortServers();
  readonly #scopes: GatewayScopes;
  #parser: MessageParser | undefined;
  #gateways?: readonly Gateway[];
  #ready = false;
  readonly #deflatesFrom: number | undefined;
  /** Those that compress once for all their peers. */
  readonly #deflating: WebSocketServer[] = [];

  /** @internal */
  constructor(
    @Inject(CHANNELS_OPTIONS) private readonly options: ChannelsModuleOptions,
    private readonly engine: Engine,
    private readonly originGuard: OriginGuard,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly host: HttpAdapterHost,
    moduleRef: ModuleRef,
  ) {
    super();
    this.#scopes = new GatewayScopes(modules, moduleRef);
    this.#parser = options.messageParser;
    this.#deflatesFrom = compressionThreshold(options);
  }

  get #allGateways(): readonly Gateway[] {
    return (this.#gateways ??= exploreGateways(this.modules));
  }

  /** Called by Nest once for each port and path. Refuses the start where the gateways there cannot work. */
  override create(port: number, options: GatewayOptions & { server?: unknown } = {}): unknown {
    // Nest asks again for a gateway with a namespace, with the server that it got first.
    if (options.server) return options.server;
    const path = normalizePath(options.path);
    const key = `${port} ${path}`;
    const known = this.#servers.get(key);
    if (known) return known;

    const gateways = this.#allGateways.filter((gateway) => gateway.port === port && gateway.path === path);
    this.#warnOfOptions(gateways);
    const isUnlimited = !this.#hasRates(gateways);
    const given = { ...this.#serverOptions, ...ownOptions(options) };
    const answersPings = !isUnlimited && given['autoPong'] === undefined;
    const server = createWebSocketServer(
      answersPings ? { ...given, autoPong: false } : given,
      this.engine.options,
      (error) => this.engine.observers.failed({ where: 'handleProtocols', error }),
      nestMajor() < FIRST_MAJOR_THAT_SENDS ? ExceptionChannelSocket : undefined,
    );
    server.on('error', (error) => this.#log.error(error));
    // A gateway that has options of its own for it is left to `ws`.
    const deflatesFrom = options['perMessageDeflate'] === undefined ? this.#deflatesFrom : undefined;
    if (deflatesFrom !== undefined) this.#deflating.push(server);
    const isAnyPath = port !== APPLICATION_PORT && options.path === undefined;
    // Stock Nest puts the path there as well.
    if (!isAnyPath) Object.assign(server, { path });
    const handshake = new GatewayHandshake({
      gateways,
      modules: this.modules,
      config: this.config,
      options: this.options,
      originGuard: this.originGuard,
      observers: this.engine.observers,
      scopes: this.#scopes,
      ownPort: port !== APPLICATION_PORT,
    });
    if (handshake.isUndecided) this.#warnOfStrangers(gateways);
    this.#upgradeServer(port, options).add({
      path: isAnyPath ? undefined : path,
      server,
      endpoint: this.#endpoint(path, gateways, {
        maxMessageBytes: server.options.maxPayload ?? this.engine.options.maxMessageBytes,
        isUnlimited,
        answersPings,
        deflatesFrom,
      }),
      handshake,
    });
    this.#servers.set(key, server);
    return server;
  }

  /** Lets peers in: gateways with a port of their own begin to listen. */
  async accept(): Promise<void> {
    await this.#checkCompression();
    await this.#ownPorts.listen();
    this.#ready = true;
  }

  /** What it leans on is not documented by `ws`: where it does not hold, peers get everything as it is. */
  async #checkCompression(): Promise<void> {
    if (this.#deflating.length === 0) return;
    const fault = await findDeflateFault();
    if (fault === undefined) return;
    this.#log.warn(
      `compression: nothing is compressed, because ${fault}. Please report it with the version of ws.`,
    );
    for (const server of this.#deflating) server.options.perMessageDeflate = false;
  }

  /** Nothing to bind: messages, `handleConnection` and `handleDisconnect` are dispatched from one table. */
  override bindClientConnect(): void {}

  /** Nothing to bind, as in {@link bindClientConnect}. */
  override bindClientDisconnect(): void {}

  /** Nothing to bind, as in {@link bindClientConnect}. */
  override bindMessageHandlers(): void {}

  /**
   * Reads the messages of plain connections in a form of the application's own, as in the stock adapter.
   * Connections that speak our subprotocol keep the form of docs/protocol.md.
   */
  override setMessageParser(parser: MessageParser): void {
    this.#parser = parser;
  }

  /** Answers what is under way, closes every connection with 1012 and then the server. */
  override async close(server: { close(done: (error?: Error) => void): void }): Promise<void> {
    await this.engine.shutdown();
    await new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Called by Nest after every server is closed: ends the upgrades and the ports of gateways. */
  override async dispose(): Promise<void> {
    await this.engine.shutdown();
    for (const upgrades of this.#upgrades.values()) upgrades.close();
    await this.#ownPorts.close();
    this.#upgrades.clear();
    this.#servers.clear();
  }

  get #serverOptions(): Readonly<Record<string, unknown>> {
    const { server = {} } = this.options;
    const threshold = this.#deflatesFrom;
    return threshold === undefined ? server : { ...server, perMessageDeflate: deflateOptions(threshold) };
  }

  /** Stock gateways have none, unless the application asks for one: docs/protocol.md, section 11, row 15. */
  #hasRates(gateways: readonly Gateway[]): boolean {
    const { messagesPerSecond, bytesPerSecond, subscriptionsPerSecond } = this.options;
    const isAsked = [messagesPerSecond, bytesPerSecond, subscriptionsPerSecond].some(Boolean);
    return isAsked || gateways.some(({ usesChannels }) => usesChannels);
  }

  #endpoint(
    path: string,
    gateways: readonly Gateway[],
    limits: Pick<GatewayEndpointParts, 'maxMessageBytes' | 'isUnlimited' | 'answersPings' | 'deflatesFrom'>,
  ): GatewayEndpoint {
    this.#defineChannels(gateways);
    const globals = resolveGlobals(this.options.globals);
    const compiler = new MessageCompiler(this.modules, this.config, globals, this.#scopes);
    return new GatewayEndpoint({
      path,
      gateways,
      compiler,
      scopes: this.#scopes,
      parser: () => this.#parser,
      observers: this.engine.observers,
      ...limits,
      warn: (text) => this.#log.warn(text),
    });
  }

  #upgradeServer(port: number, { host }: GatewayOptions): UpgradeServer {
    const known = this.#upgrades.get(port);
    if (known) {
      if (host !== undefined)
        this.#log.warn(`port ${port} has its host from another gateway; "${host}" has no effect.`);
      return known;
    }
    const httpServer = port === APPLICATION_PORT ? this.#applicationServer() : createServer(askForUpgrade);
    if (port !== APPLICATION_PORT) this.#ownPorts.add(httpServer, port, host ?? this.options.host);
    const upgrades = new UpgradeServer(httpServer, this.engine, {
      trustedHops: trustedHops(this.options),
      tokenCookie: this.options.tokenCookie,
      isReady: () => this.#ready,
    });
    this.#upgrades.set(port, upgrades);
    return upgrades;
  }

  /** It does not exist yet when the adapter is constructed. */
  #applicationServer(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }

  /** Channel names are global: what a pattern means must not depend on the path. */
  #defineChannels(gateways: readonly Gateway[]): void {
    for (const { name, methods } of gateways) {
      for (const { subscribes } of methods) if (subscribes) this.engine.catalog.add(subscribes, name);
    }
  }

  /** Stock gateways check who it is in `handleConnection`. */
  #warnOfStrangers(gateways: readonly Gateway[]): void {
    const gateway = gateways.find(({ usesChannels }) => usesChannels);
    if (!gateway) return;
    this.#log.warn(
      `${gateway.name}: anybody may connect to ${gateway.path}; name a guard in @UseHandshakeGuards(...), or write @UseHandshakeGuards() to say that everybody may.`,
    );
  }

  #warnOfOptions(gateways: readonly Gateway[]): void {
    const [first] = gateways;
    for (const { name, options, path } of gateways) {
      if (options['cors'] !== undefined) {
        this.#log.warn(`${name}: "cors" has no effect on WebSockets; use allowedOrigins of ChannelsModule.`);
      }
      if (options['namespace'] !== undefined) {
        this.#log.warn(`${name}: there are no namespaces; use a path of its own.`);
      }
      if (first && JSON.stringify(ownOptions(options)) !== JSON.stringify(ownOptions(first.options))) {
        this.#log.warn(
          `${name}: its server options have no effect, those of ${first.name} hold for ${path}.`,
        );
      }
    }
  }
}

/** A gateway's port has nothing but gateways. */
function askForUpgrade(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { 'Content-Type': 'application/json; charset=utf-8', Upgrade: 'websocket' });
  response.end(JSON.stringify(defaultBody(426)));
}

/** What a gateway's decorator says to `ws`. */
function ownOptions(options: GatewayOptions): Readonly<Record<string, unknown>> {
  const { path: _path, host: _host, cors: _cors, namespace: _namespace, server: _server, ...own } = options;
  return own;
}
