import { describe, expect, it } from 'vitest';
import { PatternTable } from '../../../lib/core/pattern.js';
import { normalizePath, parsePath, PATH_SYNTAX } from '../../../lib/transport/ws/upgrade-path.js';

const match = (path: string, name: string): Record<string, string> | undefined =>
  parsePath(path).match(name.split('/'));

describe('normalizePath', () => {
  it.each([
    [undefined, '/'],
    ['', '/'],
    ['/', '/'],
    ['ws', '/ws'],
    ['/ws', '/ws'],
    ['/ws/', '/ws'],
    ['chat//:tenant/ws/', '/chat/:tenant/ws'],
  ])('makes %j into %j', (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });
});

describe('parsePath', () => {
  it.each([
    ['/', '/'],
    ['/ws', '/ws'],
    ['ws', '/ws'],
    ['/ws/', '/ws'],
  ])('gives %j a pattern that matches %j', (path, name) => {
    expect(match(path, name)).toEqual({});
  });

  it.each(['/', '/ws/', '/ws/a', '/WS', '//ws', '/wsx'])('does not take %j for /ws', (name) => {
    expect(match('/ws', name)).toBeUndefined();
  });

  it.each([
    ['/chat/acme/ws', 'acme'],
    ['/chat/caf%C3%A9/ws', 'café'],
    ['/chat/a%2Fb/ws', 'a/b'],
    ['/chat/a%20b/ws', 'a b'],
    ['/chat/a+b/ws', 'a+b'],
    ['/chat/__proto__/ws', '__proto__'],
  ])('reads the parameter of %j as %j', (name, tenant) => {
    expect(match('/chat/:tenant/ws', name)).toEqual({ tenant });
  });

  it.each(['/chat//ws', '/chat/ws', '/chat/a/b/ws', '/chat/%/ws', '/chat/%E0%A4%A/ws', '/chat/%FF/ws'])(
    'finds no parameter in %j',
    (name) => {
      expect(match('/chat/:tenant/ws', name)).toBeUndefined();
    },
  );

  it('reads several parameters', () => {
    expect(match('/:tenant/:room', '/acme/lobby')).toEqual({ tenant: 'acme', room: 'lobby' });
  });

  it.each(['/a/*', '/a/(b)', '/{a}', '/a?', '/:a-b', '/:', '/:1', '/:a/:a', '/:__proto__'])(
    'refuses %j',
    (path) => {
      expect(() => parsePath(path)).toThrow(TypeError);
    },
  );
});

describe('a table of paths', () => {
  it('prefers a literal to a parameter, whatever was added first', () => {
    const table = new PatternTable<string>(PATH_SYNTAX);
    table.add(parsePath('/:tenant/ws'), 'parameter');
    table.add(parsePath('/admin/ws'), 'literal');

    expect(table.match('/admin/ws')).toEqual({ value: 'literal', params: {} });
    expect(table.match('/acme/ws')).toEqual({ value: 'parameter', params: { tenant: 'acme' } });
  });

  it('refuses two paths of one shape', () => {
    const table = new PatternTable<string>(PATH_SYNTAX);
    table.add(parsePath('/:tenant/ws'), 'first');

    expect(() => table.add(parsePath('/:customer/ws'), 'second')).toThrow(
      '"/:customer/ws" and "/:tenant/ws" match the same names; keep one of them.',
    );
  });
});
