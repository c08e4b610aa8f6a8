import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CLOSE_CODES } from '../../../lib/protocol/index.js';
import {
  closeCodeOf,
  closeReasonOf,
  defaultBody,
  HandshakeRefusal,
  writeRefusal,
  type RefusalHeaders,
} from '../../../lib/transport/ws/refusal.js';
import { readTable } from '../../support/markdown-table.js';
import { readTree } from '../../support/repository.js';

const PROTOCOL = readTree('docs', 'protocol.md').get('docs/protocol.md') ?? '';

/** A socket that keeps what is written to it. */
class Sink extends Duplex {
  text = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** All that was written before the socket was destroyed. */
async function written(refusal: HandshakeRefusal): Promise<string> {
  const socket = new Sink();
  const closed = once(socket, 'close');
  writeRefusal(socket, refusal);
  await closed;
  return socket.text;
}

describe('closeCodeOf', () => {
  it('maps the statuses of the protocol document to its codes', () => {
    const rows = readTable(PROTOCOL, '2.7', ['HTTP status', 'close code']);
    const named = rows.filter((row) => /^\d+$/.test(row['HTTP status']));

    expect(named).toHaveLength(6);
    for (const row of named) expect(closeCodeOf(Number(row['HTTP status']))).toBe(Number(row['close code']));
  });

  it.each([400, 402, 405, 418, 422, 451, 499])('maps %i, any other 4xx, to forbidden', (status) => {
    expect(closeCodeOf(status)).toBe(CLOSE_CODES.Forbidden.code);
  });

  it.each([500, 501, 502, 504, 599, 302, 200])('maps %i to an internal error', (status) => {
    expect(closeCodeOf(status)).toBe(CLOSE_CODES.InternalError.code);
  });
});

describe('closeReasonOf', () => {
  it.each<[string, RefusalHeaders, string]>([
    ['seconds', { 'Retry-After': '7' }, '{"retryAfterMs":7000}'],
    ['a number', { 'Retry-After': 7 }, '{"retryAfterMs":7000}'],
    ['a header in lower case', { 'retry-after': '1' }, '{"retryAfterMs":1000}'],
    ['no wait', { 'Retry-After': '0' }, '{"retryAfterMs":0}'],
    ['a negative wait', { 'Retry-After': '-5' }, '{"retryAfterMs":0}'],
    ['a date in the past', { 'Retry-After': 'Fri, 31 Dec 1999 23:59:59 GMT' }, '{"retryAfterMs":0}'],
    ['nonsense', { 'Retry-After': 'soon' }, ''],
    ['other headers alone', { 'X-Retry-After': '7' }, ''],
  ])('tells of %s', (_what, headers, reason) => {
    expect(closeReasonOf(headers)).toBe(reason);
  });

  it('counts from now to a date', () => {
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();

    const reason = JSON.parse(closeReasonOf({ 'Retry-After': inAnHour })) as { retryAfterMs: number };

    expect(reason.retryAfterMs).toBeGreaterThan(3_500_000);
    expect(reason.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });
});

describe('defaultBody', () => {
  it('is that of Nest', () => {
    expect(defaultBody(404)).toEqual({ statusCode: 404, message: 'Not Found' });
    expect(defaultBody(503, 'the server shuts down')).toEqual({
      statusCode: 503,
      message: 'the server shuts down',
      error: 'Service Unavailable',
    });
  });
});

describe('writeRefusal', () => {
  it('writes one response with the length of the body in bytes', async () => {
    const response = await written(new HandshakeRefusal(401, { message: 'nö' }));

    expect(response.split('\r\n')).toEqual([
      'HTTP/1.1 401 Unauthorized',
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      'Content-Length: 17',
      '',
      '{"message":"nö"}',
    ]);
  });

  it('writes each value of a header', async () => {
    const headers = { 'Set-Cookie': ['a=1', 'b=2'], 'X-Number': 7 };

    const response = await written(new HandshakeRefusal(403, {}, headers));

    expect(response).toContain('\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Number: 7\r\n');
  });

  it('keeps the headers that describe the body to itself', async () => {
    const headers = {
      'content-length': '0',
      Connection: 'keep-alive',
      'Content-Type': 'text/html',
      'Transfer-Encoding': 'chunked',
    };

    const response = await written(new HandshakeRefusal(403, {}, headers));

    expect(response.match(/^(content-|connection|transfer-).*/gim)).toEqual([
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      'Content-Length: 2',
    ]);
  });

  it.each([
    ['a value', { 'X-Reason': 'no\r\nX-Injected: 1' }],
    ['one of several values', { 'X-Reason': ['fine', 'no\nX-Injected: 1'] }],
    ['a name', { 'X-Reason: 1\r\nX-Injected': '1' }],
  ])('throws for a line break in %s and writes nothing', (_what, headers) => {
    const socket = new Sink();

    expect(() => writeRefusal(socket, new HandshakeRefusal(403, {}, headers))).toThrow(TypeError);

    expect([socket.text, socket.writable]).toEqual(['', true]);
  });
});
