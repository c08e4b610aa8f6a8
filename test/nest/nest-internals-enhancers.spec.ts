import type { PipeTransform } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { WsException } from '@nestjs/websockets';
import { firstValueFrom, isObservable } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import * as internals from '../../lib/nest/nest-internals.js';
import {
  ClassGuard,
  DecoratedGateway,
  Dependency,
  GlobalGuard,
  MethodGuard,
  SuffixInterceptor,
  TestPipe,
} from '../support/decorated-gateway.js';

const { handle } = DecoratedGateway.prototype;

describe('The makers of enhancers', () => {
  let module: TestingModule;
  let gateway: DecoratedGateway;
  let moduleKey: string;
  /** As much of Nest's container as they read. */
  let container: never;
  const config = new ApplicationConfig();

  beforeAll(async () => {
    module = await Test.createTestingModule({ providers: [DecoratedGateway, Dependency] }).compile();
    gateway = module.get(DecoratedGateway);
    const modules = module.get(ModulesContainer);
    moduleKey = [...modules].find(([, { providers }]) => providers.has(DecoratedGateway))?.[0] ?? '';
    container = { getModules: () => modules } as never;
    config.useGlobalGuards(new GlobalGuard(new Dependency()));
  });

  it('give the guards of class and method, with what they inject', () => {
    const guards = new internals.GuardsContextCreator(container).create(gateway, handle as never, moduleKey);

    expect(guards.map((guard) => guard.constructor)).toEqual([ClassGuard, MethodGuard]);
    expect(guards).toMatchObject([
      { dependency: expect.any(Dependency) },
      { dependency: expect.any(Dependency) },
    ]);
  });

  it('give the guards of the method alone for an instance of a class without any', () => {
    const guards = new internals.GuardsContextCreator(container).create({}, handle as never, moduleKey);

    expect(guards.map((guard) => guard.constructor)).toEqual([MethodGuard]);
  });

  it('put the global guards first where they get the configuration', () => {
    const creator = new internals.GuardsContextCreator(container, config);

    const guards = creator.create(gateway, handle as never, moduleKey);

    expect(guards.map((guard) => guard.constructor)).toEqual([GlobalGuard, ClassGuard, MethodGuard]);
  });

  it('give the interceptors, with what they inject', () => {
    const creator = new internals.InterceptorsContextCreator(container);

    const interceptors = creator.create(gateway, handle as never, moduleKey);

    expect(interceptors).toEqual([new SuffixInterceptor(module.get(Dependency))]);
  });

  it('give the pipes of a method, with what they inject', () => {
    const pipes = new internals.PipesContextCreator(container).create(gateway, handle as never, moduleKey);

    expect(pipes).toEqual([new TestPipe(module.get(Dependency))]);
  });

  it('give the pipes of a parameter once they know the module', () => {
    const creator = new internals.PipesContextCreator(container);
    creator.setModuleContext(moduleKey);

    const pipes = creator.createConcreteContext<unknown[], PipeTransform[]>([TestPipe]);

    expect(pipes).toEqual([new TestPipe(module.get(Dependency))]);
  });

  it('give the filters of a method with the exceptions that they catch', async () => {
    const context = new internals.ExceptionFiltersContext(container);
    context.create(gateway, handle as never, moduleKey);

    const filters: unknown[] = context.createContext(
      gateway,
      handle as never,
      internals.EXCEPTION_FILTERS_METADATA,
    );

    expect(filters).toEqual([{ func: expect.any(Function), exceptionMetatypes: [WsException] }]);
    const [{ func }] = filters as [{ func: (...args: unknown[]) => unknown }];
    expect(func(new WsException('x'), undefined)).toBe('filtered');
  });
});

describe('InterceptorsConsumer', () => {
  it('gives a stream of what the method answers, through the interceptors', async () => {
    const interceptor = new SuffixInterceptor(new Dependency());
    const next = async (): Promise<string> => 'answer';

    const result = await new internals.InterceptorsConsumer().intercept(
      [interceptor],
      [],
      new DecoratedGateway(),
      handle as never,
      next,
      'ws',
    );

    expect(isObservable(result) && (await firstValueFrom(result))).toBe('answer intercepted');
  });
});

describe('ExecutionContextHost', () => {
  it('tells class, method, type and arguments', () => {
    const args = ['client', 'data', 'event'];

    const context = new internals.ExecutionContextHost(args, DecoratedGateway, handle);
    context.setType('ws');

    expect([context.getClass(), context.getHandler(), context.getType()]).toEqual([
      DecoratedGateway,
      handle,
      'ws',
    ]);
    expect([context.switchToWs().getClient(), context.switchToWs().getData()]).toEqual(['client', 'data']);
    expect(context.switchToWs().getPattern()).toBe('event');
    expect([context.switchToHttp().getRequest(), context.switchToHttp().getResponse()]).toEqual([
      'client',
      'data',
    ]);
  });
});

describe('ContextUtils', () => {
  const utils = new internals.ContextUtils();

  it('reads the parameters that a method has been decorated with, if any', () => {
    const key = internals.ROUTE_ARGS_METADATA;
    const gateway = new DecoratedGateway();

    const decorated = utils.reflectCallbackMetadata<object>(gateway, 'handle', key);
    const plain: unknown = utils.reflectCallbackMetadata(gateway, 'plain', key);

    expect([Object.keys(decorated).length, plain]).toEqual([3, undefined]);
  });

  it('takes the number of a kind out of its key', () => {
    expect(utils.mapParamType(`${internals.WsParamtype.ACK}:2`)).toBe(String(internals.WsParamtype.ACK));
  });

  it('reads the types that the compiler has left', () => {
    class Typed {
      handle(): void {}
    }
    Reflect.defineMetadata('design:paramtypes', [Number], Typed.prototype, 'handle');

    expect(utils.reflectCallbackParamtypes(new Typed(), 'handle')).toEqual([Number]);
  });

  it('makes the value of a custom parameter from the data of its decorator and the context', () => {
    const gateway = new DecoratedGateway();
    const params = utils.reflectCallbackMetadata<Record<string, { factory: never; data: string }>>(
      gateway,
      'custom',
      internals.ROUTE_ARGS_METADATA,
    );
    const [param] = Object.values(params);
    const toContext = utils.getContextFactory('ws', gateway, gateway.custom);

    const value = param && utils.getCustomFactory(param.factory, param.data, toContext)('client', 'data');

    expect(value).toEqual(['of the decorator', ['client', 'data']]);
    expect(toContext([]).getType()).toBe('ws');
  });
});
