import type {
  CanActivate,
  ContextType,
  ExecutionContext,
  NestInterceptor,
  PipeTransform,
  Type,
} from '@nestjs/common';
import type { ApplicationConfig, ContextId, ModulesContainer } from '@nestjs/core';
import { MethodPipeline, type Callback, type PipelineParam } from './method-pipeline.js';
import {
  ContextUtils,
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  ExceptionFiltersContext,
  GuardsContextCreator,
  InterceptorsContextCreator,
  PipesContextCreator,
  ROUTE_ARGS_METADATA,
  RouteParamtypes,
} from './nest-internals.js';

/** Which of the application's global enhancers run. */
export interface GlobalEnhancers {
  readonly guards: boolean;
  readonly pipes: boolean;
  readonly interceptors: boolean;
}

/** Where a method stands. */
export interface MethodHost {
  readonly instance: object;
  readonly moduleKey: string;
  /** Of an instance that was made for a connection: the context that its enhancers were made in. */
  readonly contextId?: ContextId;
  readonly inquirerId?: string;
}

/** Gives a parameter decorator of Nest its value; `undefined` for a kind that has none here. */
export type ParamExtractor = (kind: number, key: string | undefined, args: readonly unknown[]) => unknown;

export interface CompileOptions {
  readonly contextType: ContextType;
  readonly globals: GlobalEnhancers;
  /** Whether guards, pipes and interceptors of the class count, beside those of the method. */
  readonly classEnhancers: boolean;
  /** Whether guards run at all: clean-up cannot be refused. */
  readonly guards: boolean;
  readonly extract: ParamExtractor;
  /** The kinds of parameter that a method without parameter decorators gets, in order. */
  readonly defaultParams: readonly number[];
  readonly forbidden: () => Error;
  readonly answersOnce: boolean;
}

/** A local exception filter, as Nest keeps it. */
export interface LocalFilter {
  readonly func: (exception: unknown, host: unknown) => unknown;
  readonly exceptionMetatypes: readonly Type[];
}

interface ParamMetadata {
  readonly index: number;
  readonly data?: string;
  readonly pipes?: readonly unknown[];
  /** Of `createParamDecorator`. */
  readonly factory?: (data: unknown, context: ExecutionContext) => unknown;
  readonly schema?: unknown;
}

/** Nest reads the enhancers of a class from an instance of it; this one's class has none. */
const WITHOUT_CLASS = {};

/** Compiles methods into pipelines, with the enhancers that Nest has instantiated for them. */
export class PipelineCompiler {
  readonly #utils = new ContextUtils();
  readonly #container: never;

  constructor(
    modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    // The creators read nothing of the container but its modules.
    this.#container = { getModules: () => modules } as never;
  }

  compile(host: MethodHost, methodName: string, options: CompileOptions): MethodPipeline {
    const { instance, moduleKey, contextId, inquirerId } = host;
    const callback = methodOf(instance, methodName);
    const pipes = this.#pipesCreator(options);
    const decorated = options.classEnhancers ? instance : WITHOUT_CLASS;
    const methodPipes: PipeTransform[] = pipes.create(decorated, callback, moduleKey, contextId, inquirerId);
    const params = this.#params(instance, methodName, options, (own) => {
      pipes.setModuleContext(moduleKey);
      return [
        ...methodPipes,
        ...pipes.createConcreteContext<unknown[], PipeTransform[]>([...own], contextId, inquirerId),
      ];
    });
    return new MethodPipeline({
      instance,
      callback,
      contextType: options.contextType,
      guards: options.guards ? this.#guards(decorated, callback, host, options) : [],
      interceptors: this.#interceptors(decorated, callback, host, options),
      params,
      paramCount: Math.max(0, ...params.map(({ index }) => index + 1)),
      forbidden: options.forbidden,
      answersOnce: options.answersOnce,
    });
  }

  /** The global guards alone, before the upgrade to a gateway that has no handshake method of its own. */
  globalGuards(instance: object, forbidden: () => Error): MethodPipeline {
    return new MethodPipeline({
      instance,
      callback: nothing,
      contextType: 'http',
      guards: this.config.getGlobalGuards(),
      interceptors: [],
      params: [],
      paramCount: 0,
      forbidden,
      answersOnce: true,
    });
  }

  /** Filters of the method and its class; global ones never see messages, as in stock Nest. */
  filters(
    { instance, moduleKey, contextId, inquirerId }: MethodHost,
    methodName: string,
  ): readonly LocalFilter[] {
    const context = new ExceptionFiltersContext(this.#container);
    const callback = methodOf(instance, methodName);
    // `create` sets the module to look injected filters up in, and returns them wrapped.
    context.create(instance, callback as never, moduleKey, contextId, inquirerId);
    const filters = context.createContext(
      instance,
      callback as never,
      EXCEPTION_FILTERS_METADATA,
      contextId,
      inquirerId,
    );
    return (filters as unknown as LocalFilter[]).toReversed();
  }

  #pipesCreator({ globals }: CompileOptions): PipesContextCreator {
    return new PipesContextCreator(this.#container, globals.pipes ? this.config : undefined);
  }

  #guards(
    decorated: object,
    callback: Callback,
    { moduleKey, contextId, inquirerId }: MethodHost,
    { globals }: CompileOptions,
  ): CanActivate[] {
    const config = globals.guards ? this.config : undefined;
    const creator = new GuardsContextCreator(this.#container, config);
    return creator.create(decorated, callback, moduleKey, contextId, inquirerId);
  }

  #interceptors(
    decorated: object,
    callback: Callback,
    { moduleKey, contextId, inquirerId }: MethodHost,
    { globals }: CompileOptions,
  ): NestInterceptor[] {
    const config = globals.interceptors ? this.config : undefined;
    const creator = new InterceptorsContextCreator(this.#container, config);
    return creator.create(decorated, callback, moduleKey, contextId, inquirerId);
  }

  #params(
    instance: object,
    methodName: string,
    options: CompileOptions,
    toPipes: (own: readonly unknown[]) => readonly PipeTransform[],
  ): PipelineParam[] {
    const stored = this.#utils.reflectCallbackMetadata<Record<string, ParamMetadata>>(
      instance,
      methodName,
      ROUTE_ARGS_METADATA,
    );
    const metadata = stored ?? defaultMetadata(options.defaultParams);
    const types = this.#utils.reflectCallbackParamtypes(instance, methodName) as
      readonly unknown[] | undefined;
    const context = this.#utils.getContextFactory(
      options.contextType,
      instance,
      methodOf(instance, methodName),
    );
    return Object.entries(metadata).map(([key, param]) => {
      const kind = this.#utils.mapParamType(key);
      const isCustom = key.includes(CUSTOM_ROUTE_ARGS_METADATA);
      // Nest's own call of it copies the arguments, and loses what they carry for our decorators.
      const custom = isCustom && param.factory;
      return {
        index: param.index,
        extract: custom
          ? (args) => custom(param.data, context(args as unknown[]))
          : (args) => options.extract(Number(kind), param.data, args),
        pipes: toPipes(param.pipes ?? []),
        metadata: {
          metatype: types?.[param.index] as never,
          type: isCustom ? 'custom' : tokenOf(Number(kind)),
          data: param.data,
          ...(param.schema === undefined ? {} : { schema: param.schema as never }),
        },
      };
    });
  }
}

function nothing(): void {}

function methodOf(instance: object, name: string): Callback {
  return (instance as Record<string, Callback>)[name] as Callback;
}

function defaultMetadata(kinds: readonly number[]): Record<string, ParamMetadata> {
  return Object.fromEntries(kinds.map((kind, index) => [`${kind}:${index}`, { index }]));
}

/** What a pipe is told of the kind of its value. */
function tokenOf(kind: number): 'body' | 'query' | 'param' | 'custom' {
  switch (kind) {
    case RouteParamtypes.BODY:
      return 'body';
    case RouteParamtypes.QUERY:
      return 'query';
    case RouteParamtypes.PARAM:
      return 'param';
    default:
      return 'custom';
  }
}
