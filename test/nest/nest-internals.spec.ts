import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, ModulesContainer, REQUEST as CURRENT_REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as internals from '../../lib/nest/nest-internals.js';
import { DecoratedGateway, MethodGuard, TestFilter } from '../support/decorated-gateway.js';

const { handle } = DecoratedGateway.prototype;

/** What a decorator has left under a key. */
function read(key: string, target: object, property?: string): unknown {
  return property === undefined
    ? Reflect.getMetadata(key, target)
    : Reflect.getMetadata(key, target, property);
}

it('has a test for everything that is imported from inside of Nest', () => {
  expect(Object.keys(internals).toSorted()).toEqual([
    'CUSTOM_ROUTE_ARGS_METADATA',
    'ContextUtils',
    'EXCEPTION_FILTERS_METADATA',
    'ExceptionFiltersContext',
    'ExecutionContextHost',
    'GATEWAY_METADATA',
    'GATEWAY_OPTIONS',
    'GUARDS_METADATA',
    'GuardsContextCreator',
    'Injector',
    'InterceptorsConsumer',
    'InterceptorsContextCreator',
    'MESSAGE_MAPPING_METADATA',
    'MESSAGE_METADATA',
    'PORT_METADATA',
    'PipesContextCreator',
    'REQUEST_CONTEXT_ID',
    'ROUTE_ARGS_METADATA',
    'RouteParamtypes',
    'WsParamtype',
  ]);
});

describe('The keys of metadata', () => {
  it.each([
    ['GATEWAY_METADATA', internals.GATEWAY_METADATA, true],
    ['GATEWAY_OPTIONS', internals.GATEWAY_OPTIONS, { path: '/ws' }],
    ['PORT_METADATA', internals.PORT_METADATA, 81],
  ] as const)('finds what @WebSocketGateway() stores under %s', (_name, key, expected) => {
    expect(read(key, DecoratedGateway)).toEqual(expected);
  });

  it.each([
    ['MESSAGE_MAPPING_METADATA', internals.MESSAGE_MAPPING_METADATA, true],
    ['MESSAGE_METADATA', internals.MESSAGE_METADATA, 'event'],
    ['GUARDS_METADATA', internals.GUARDS_METADATA, [MethodGuard]],
    ['EXCEPTION_FILTERS_METADATA', internals.EXCEPTION_FILTERS_METADATA, [TestFilter]],
  ] as const)('finds what decorators of a method store under %s', (_name, key, expected) => {
    expect(read(key, handle)).toEqual(expected);
  });

  it('finds the parameters of a method, by the number of their kind', () => {
    const { SOCKET, PAYLOAD, ACK } = internals.WsParamtype;

    const params = read(internals.ROUTE_ARGS_METADATA, DecoratedGateway, 'handle');

    expect(params).toMatchObject({
      [`${SOCKET}:0`]: { index: 0, pipes: [] },
      [`${PAYLOAD}:1`]: { index: 1, data: 'text', pipes: [] },
      [`${ACK}:2`]: { index: 2 },
    });
  });

  it('finds the parameters of a handshake method, by the number of their kind', () => {
    const { REQUEST, RESPONSE, QUERY, PARAM, HEADERS, IP } = internals.RouteParamtypes;

    const params = read(internals.ROUTE_ARGS_METADATA, DecoratedGateway, 'handshake');

    expect(params).toMatchObject({
      [`${REQUEST}:0`]: { index: 0 },
      [`${RESPONSE}:1`]: { index: 1 },
      [`${QUERY}:2`]: { index: 2, data: 'q' },
      [`${PARAM}:3`]: { index: 3, data: 'p' },
      [`${HEADERS}:4`]: { index: 4, data: 'h' },
      [`${IP}:5`]: { index: 5 },
    });
  });

  it('finds a custom parameter by its mark, with its factory', () => {
    const params = read(internals.ROUTE_ARGS_METADATA, DecoratedGateway, 'custom') as object;

    const [[key, param] = []] = Object.entries(params);

    expect(key).toContain(internals.CUSTOM_ROUTE_ARGS_METADATA);
    expect(param).toMatchObject({ index: 0, data: 'of the decorator', factory: expect.any(Function) });
  });

  it('numbers a body as an HTTP body', () => {
    // A pipe is told `body` for a message as well.
    expect(internals.RouteParamtypes.BODY).toBe(internals.WsParamtype.PAYLOAD);
  });
});

describe('Injector', () => {
  it('makes an instance for a context, with what it injects', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(CURRENT_REQUEST) readonly request: unknown) {}
    }
    @Module({ providers: [Scoped] })
    class ScopedModule {}
    const app = await Test.createTestingModule({ imports: [ScopedModule] }).compile();
    onTestFinished(() => app.close());
    const modules = [...app.get(ModulesContainer).values()];
    const module = modules.find(({ metatype }) => metatype === ScopedModule);
    const wrapper = module?.providers.get(Scoped);
    const contextId = ContextIdFactory.create();
    const request = {};
    app.get(ModuleRef).registerRequestByContextId(request, contextId);

    const made = await new internals.Injector().loadPerContext<Scoped>(
      wrapper?.instance as Scoped,
      module as never,
      module?.providers as never,
      contextId,
    );

    expect(made).toBeInstanceOf(Scoped);
    expect(made.request).toBe(request);
  });
});

describe('REQUEST_CONTEXT_ID', () => {
  it('is where Nest looks for the context of a request', () => {
    const contextId = ContextIdFactory.create();

    const found = ContextIdFactory.getByRequest({ [internals.REQUEST_CONTEXT_ID]: contextId });

    expect(found).toBe(contextId);
  });
});
