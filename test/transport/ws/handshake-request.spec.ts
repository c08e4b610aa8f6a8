import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  readRequest,
  type ReadRequest,
  type RequestParts,
} from '../../../lib/transport/ws/handshake-request.js';

/** Node's own request, as its parser would have filled it. */
function incoming(headers: Readonly<Record<string, string>>): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  for (const [name, value] of Object.entries(headers)) {
    message.headers[name.toLowerCase()] = value;
    message.rawHeaders.push(name, value);
  }
  return message;
}

function read(headers: Readonly<Record<string, string>>, parts: Partial<RequestParts> = {}): ReadRequest {
  const defaults: RequestParts = { ip: '::1', params: {}, query: new URLSearchParams(), protocols: [] };
  return readRequest(incoming(headers), { ...defaults, ...parts });
}

const cookies = (cookie: string): unknown => ({ ...read({ Cookie: cookie }).request.cookies });

describe('readRequest', () => {
  it('adds address, parameters and query to the request of Node itself', () => {
    const message = incoming({});

    const { request } = readRequest(message, {
      ip: '203.0.113.9',
      params: { tenant: 'acme' },
      query: new URLSearchParams('a=1'),
      protocols: [],
    });

    expect(request).toBe(message);
    expect(request).toMatchObject({ ip: '203.0.113.9', params: { tenant: 'acme' }, query: { a: '1' } });
  });

  it.each([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2&b=3', { a: ['1', '2'], b: '3' }],
    ['a&b=', { a: '', b: '' }],
    ['x=%C3%A9+%2B', { x: 'é +' }],
  ])('reads the query %j', (search, query) => {
    const { request } = read({}, { query: new URLSearchParams(search) });

    expect({ ...request.query }).toEqual(query);
  });

  it('takes __proto__ in a query and among cookies for a name like any other', () => {
    const { request } = read(
      { Cookie: '__proto__=c; constructor=d' },
      { query: new URLSearchParams('__proto__=a&__proto__=b') },
    );

    expect(Object.entries(request.query)).toEqual([['__proto__', ['a', 'b']]]);
    expect(Object.entries(request.cookies)).toEqual([
      ['__proto__', 'c'],
      ['constructor', 'd'],
    ]);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

describe('cookies', () => {
  it.each([
    ['a=1; b=2', { a: '1', b: '2' }],
    ['a=1;b=2', { a: '1', b: '2' }],
    [' a = 1 ; b=', { a: '1', b: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a="quoted"', { a: 'quoted' }],
    ['a="', { a: '"' }],
    ['a=caf%C3%A9', { a: 'café' }],
    ['a=100%', { a: '100%' }],
    ['flag; a=1', { a: '1' }],
    ['', {}],
  ])('are read from %j', (header, expected) => {
    expect(cookies(header)).toEqual(expected);
  });

  it('keep the first of two of one name', () => {
    expect(cookies('a=specific; a=general')).toEqual({ a: 'specific' });
  });

  it('are none without a header', () => {
    expect({ ...read({}).request.cookies }).toEqual({});
  });
});

describe('the offer of subprotocols that guards see', () => {
  it('has no token, neither in the headers nor in the raw ones', () => {
    const { request } = read(
      { 'Sec-WebSocket-Protocol': 'ours, nestjs-channels.bearer.c2VjcmV0' },
      { protocols: ['ours'], token: 'secret' },
    );

    expect(request.headers['sec-websocket-protocol']).toBe('ours');
    expect(request.rawHeaders).toEqual(['Sec-WebSocket-Protocol', 'ours']);
  });

  it('is gone where it was nothing but a token', () => {
    const { request } = read({ 'Sec-WebSocket-Protocol': 'nestjs-channels.bearer.c2VjcmV0' });

    expect(request.headers).not.toHaveProperty('sec-websocket-protocol');
    expect(request.rawHeaders.join()).not.toContain('c2VjcmV0');
  });

  it('is not invented', () => {
    const { request } = read({ Host: 'example.com' });

    expect(request.headers).toEqual({ host: 'example.com' });
    expect(request.rawHeaders).toEqual(['Host', 'example.com']);
  });
});

describe('the token that guards see', () => {
  const COOKIE = { tokenCookie: 'session' };

  it.each<[string, Record<string, string>, Partial<RequestParts>, string | undefined, boolean]>([
    ['nothing', {}, {}, undefined, false],
    ['the header', { Authorization: 'Bearer head' }, {}, 'Bearer head', false],
    ['the entry', {}, { token: 'entry' }, 'Bearer entry', false],
    ['the cookie', { Cookie: 'session=crumb' }, COOKIE, 'Bearer crumb', true],
    ['a cookie that no option names', { Cookie: 'session=crumb' }, {}, undefined, false],
    ['another cookie', { Cookie: 'other=crumb' }, COOKIE, undefined, false],
    ['an empty cookie', { Cookie: 'session=' }, COOKIE, undefined, false],
    ['the header before the entry', { Authorization: 'bearer head' }, { token: 'e' }, 'bearer head', false],
    [
      'the header before the cookie',
      { Authorization: 'Bearer head', Cookie: 'session=crumb' },
      COOKIE,
      'Bearer head',
      false,
    ],
    ['the entry before the cookie', { Cookie: 'session=c' }, { ...COOKIE, token: 'e' }, 'Bearer e', false],
    ['the entry beside Basic', { Authorization: 'Basic dTpw' }, { token: 'e' }, 'Bearer e', false],
    [
      'the cookie beside Basic',
      { Authorization: 'Basic dTpw', Cookie: 'session=c' },
      COOKIE,
      'Bearer c',
      true,
    ],
    ['Basic alone', { Authorization: 'Basic dTpw' }, COOKIE, 'Basic dTpw', false],
    [
      'Basic beside an empty cookie',
      { Authorization: 'Basic dTpw', Cookie: 'session=' },
      COOKIE,
      'Basic dTpw',
      false,
    ],
  ])('comes from %s', (_what, headers, parts, authorization, cookieAuthenticates) => {
    const found = read(headers, parts);

    expect(found.request.headers.authorization).toBe(authorization);
    expect(found.cookieAuthenticates).toBe(cookieAuthenticates);
  });
});
