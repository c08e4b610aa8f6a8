import { ForbiddenException } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Observers } from '../core/observers.js';
import { asStream } from '../core/result-stream.js';
import {
  HandshakeRefusal,
  type Admission,
  type Handshake,
  type HandshakeRequest,
} from '../transport/index.js';
import type { ChannelsModuleOptions } from './channels-options.interface.js';
import type { Gateway } from './gateway-explorer.js';
import type { GatewayScopes } from './gateway-scopes.js';
import { ForeignOriginException, type OriginGuard } from './guards/origin.guard.js';
import { HANDSHAKE_GUARDS_METHOD } from './metadata.js';
import type { MethodPipeline } from './method-pipeline.js';
import { isHttpException } from './nest-error-mapper.js';
import { RouteParamtypes } from './nest-internals.js';
import { PipelineCompiler, type MethodHost } from './pipeline-compiler.js';
import { isRefusal, ResponseShim } from './response-shim.js';
import { defaultSession, toIdentity } from './session.js';

export interface GatewayHandshakeParts {
  readonly gateways: readonly Gateway[];
  readonly modules: ModulesContainer;
  readonly config: ApplicationConfig;
  readonly options: ChannelsModuleOptions;
  readonly originGuard: OriginGuard;
  readonly observers: Observers;
  readonly scopes: GatewayScopes;
  /** A gateway with a port of its own: "same host" compares the host name only. */
  readonly ownPort: boolean;
}

/** Gives the pipeline of a method; one of a request-scoped gateway is made for the request. */
type PipelineSource = (request: HandshakeRequest) => MethodPipeline | Promise<MethodPipeline>;

/** What the gateways of one path have to say before an upgrade. */
export class GatewayHandshake implements Handshake {
  readonly #pipelines: readonly PipelineSource[];

  constructor(private readonly parts: GatewayHandshakeParts) {
    const compiler = new PipelineCompiler(parts.modules, parts.config);
    this.#pipelines = parts.gateways.flatMap((gateway) => this.#compile(compiler, gateway));
  }

  /** Nobody has said who may connect, not even that everybody may. */
  get isUndecided(): boolean {
    const { gateways, config, options } = this.parts;
    const hasGlobals = config.getGlobalGuards().length + config.getGlobalRequestGuards().length > 0;
    if (options.session || (hasGlobals && options.globals?.handshake !== false)) return false;
    return !gateways.some(
      ({ guardsHandshake, methods }) => guardsHandshake || methods.some(({ onHandshake }) => onHandshake),
    );
  }

  checkOrigin(request: HandshakeRequest, cookieAuthenticates: boolean): void {
    const { originGuard, ownPort } = this.parts;
    try {
      originGuard.check(request, { cookieAuthenticates, anyPort: ownPort });
    } catch (error) {
      throw this.#toRefusal(error, new ResponseShim());
    }
  }

  async admit(request: HandshakeRequest): Promise<Admission> {
    const response = new ResponseShim();
    try {
      // A guard that answers by itself, as a redirect of passport does, may never settle.
      const data = await Promise.race([this.#runAll(request, response), response.ended]);
      if (response.refusal) throw response.refusal;
      const session = this.parts.options.session ?? defaultSession;
      return { ...toIdentity(await session(request), request), data };
    } catch (error) {
      throw response.refusal ?? this.#toRefusal(error, response);
    }
  }

  async #runAll(request: HandshakeRequest, response: ResponseShim): Promise<unknown> {
    let data: unknown;
    for (const pipelineFor of this.#pipelines) {
      // One after the other: a guard may rely on what an earlier one has put into the request.
      // oxlint-disable-next-line no-await-in-loop
      data = (await this.#run(await pipelineFor(request), request, response)) ?? data;
    }
    return data;
  }

  async #run(pipeline: MethodPipeline, request: HandshakeRequest, response: ResponseShim): Promise<unknown> {
    const result = await pipeline.run([request, response, next]);
    return asStream(result, true)?.last() ?? result;
  }

  /** The guards of the class decorator first, then the methods; global guards once a gateway, before both. */
  #compile(compiler: PipelineCompiler, gateway: Gateway): PipelineSource[] {
    const methods = gateway.methods.filter(({ onHandshake }) => onHandshake).map(({ name }) => name);
    if (gateway.guardsHandshake) methods.unshift(HANDSHAKE_GUARDS_METHOD);
    const withGlobals = gateway.usesChannels && (this.parts.options.globals?.handshake ?? true);
    const pipelines = methods.map((name, at) =>
      this.#pipeline(compiler, gateway, name, withGlobals && at === 0),
    );
    if (methods.length > 0 || !withGlobals) return pipelines;
    const guards = compiler.globalGuards(gateway.instance, forbidden);
    return [() => guards];
  }

  #pipeline(
    compiler: PipelineCompiler,
    gateway: Gateway,
    name: string,
    globalGuards: boolean,
  ): PipelineSource {
    const compile = (host: MethodHost): MethodPipeline =>
      this.#compileFor(compiler, host, name, globalGuards);
    if (gateway.isScoped) {
      return async (request) => compile(await this.parts.scopes.make(gateway, request));
    }
    const pipeline = compile(gateway);
    return () => pipeline;
  }

  #compileFor(
    compiler: PipelineCompiler,
    host: MethodHost,
    name: string,
    globalGuards: boolean,
  ): MethodPipeline {
    return compiler.compile(host, name, {
      contextType: 'http',
      globals: { guards: globalGuards, pipes: false, interceptors: false },
      // Those of the class belong to its messages.
      classEnhancers: false,
      guards: true,
      extract: extractParam,
      defaultParams: [RouteParamtypes.REQUEST, RouteParamtypes.RESPONSE],
      forbidden,
      answersOnce: true,
    });
  }

  #toRefusal(error: unknown, response: ResponseShim): HandshakeRefusal {
    if (error instanceof HandshakeRefusal) return error;
    const { headers } = response;
    if (!isHttpException(error)) {
      this.parts.observers.failed({ where: 'the handshake', error });
      return new HandshakeRefusal(500, INTERNAL, headers);
    }
    const status = error.getStatus();
    if (!isRefusal(status)) {
      const advice = `an exception has the status ${status}, which refuses nothing; give it one of 400 to 599`;
      return new HandshakeRefusal(500, INTERNAL, headers, advice);
    }
    const advice = error instanceof ForeignOriginException ? error.advice : undefined;
    const body = error.getResponse();
    // As Nest's own filter answers: a text becomes the message.
    const json = typeof body === 'object' ? body : { statusCode: status, message: body };
    return new HandshakeRefusal(status, json, headers, advice);
  }
}

const INTERNAL = { statusCode: 500, message: 'Internal server error' };

function forbidden(): Error {
  return new ForbiddenException('Forbidden resource');
}

/** Express's third argument: a guard that calls it means to go on, which it says by its result. */
function next(): void {}

/** The values of Nest's parameter decorators for HTTP. */
function extractParam(kind: number, key: string | undefined, args: readonly unknown[]): unknown {
  const request = args[0] as HandshakeRequest;
  switch (kind) {
    case RouteParamtypes.REQUEST:
      return request;
    case RouteParamtypes.RESPONSE:
      return args[1];
    case RouteParamtypes.QUERY:
      return key === undefined ? request.query : request.query[key];
    case RouteParamtypes.PARAM:
      return key === undefined ? request.params : request.params[key];
    case RouteParamtypes.HEADERS:
      return key === undefined ? request.headers : request.headers[key.toLowerCase()];
    case RouteParamtypes.IP:
      return request.ip;
    default:
      return undefined;
  }
}
