import type { LoggerService } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { HandshakeRefused } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../../support/guarded-gateway.js';
import { recordRefusals } from '../../support/refusals.js';
import { startApp } from '../../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class Gateway extends WhoamiGateway {}

type Headers = Readonly<Record<string, string>>;

interface Verdict {
  readonly status: number;
  /** What the operator is told to add to the options. */
  readonly advice?: string;
}

/** How a request with these headers fares: 101, or the status of its refusal. */
async function knock(headers: Headers, channels: ChannelsModuleOptions = {}): Promise<Verdict> {
  const { observer, refusals } = recordRefusals();
  const app = await startApp({ providers: [Gateway], channels: { ...channels, observers: [observer] } });
  const status = await app.connect('/ws', { headers }).then(() => 101, statusOf);
  return { status, ...(refusals[0] && { advice: refusals[0].advice }) };
}

function statusOf(error: unknown): number {
  if (error instanceof HandshakeRefused) return error.statusCode;
  throw error;
}

const toAdd = (origin: string): string => `allowedOrigins: ["${origin}"]`;
const refused = (origin: string): Verdict => ({ status: 403, advice: toAdd(origin) });
const WELCOME: Verdict = { status: 101 };

describe('without allowedOrigins', () => {
  it.each([
    ['example.com', 'http://example.com'],
    ['example.com', 'https://example.com'],
    ['example.com:80', 'http://example.com'],
    ['example.com:443', 'https://example.com'],
    ['example.com', 'http://example.com:80'],
    ['example.com:8080', 'http://example.com:8080'],
    ['EXAMPLE.com', 'http://example.COM'],
    ['example.com.', 'https://example.com.'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
  ])('a server at %s lets a page of %s in', async (host, origin) => {
    expect(await knock({ host, origin })).toEqual(WELCOME);
  });

  it.each([
    ['another host', 'example.com', 'https://evil.example'],
    ['another port', 'example.com:8080', 'http://example.com'],
    ['another port', 'example.com', 'https://example.com:8443'],
    ['the port of another scheme', 'example.com:443', 'http://example.com'],
    ['a longer name', 'example.com', 'https://example.com.evil.test'],
    ['a longer name', 'example.com', 'https://evilexample.com'],
    ['a subdomain', 'example.com', 'https://app.example.com'],
    ['the parent domain', 'app.example.com', 'https://example.com'],
    ['the name in the place of a user', 'example.com', 'https://example.com@evil.test'],
    ['the name behind a dot too many', 'example.com', 'https://example.com.'],
    ['another scheme', 'example.com', 'chrome-extension://example.com'],
    ['the scheme of sockets', 'example.com', 'ws://example.com'],
    ['a file', 'example.com', 'file://'],
    ['no scheme', 'example.com', 'example.com'],
    ['a sandbox', 'example.com', 'null'],
    ['nothing', 'example.com', ''],
  ])('refuses a page of %s', async (_what, host, origin) => {
    expect(await knock({ host, origin })).toEqual(refused(origin));
  });

  it('lets programs in that send no Origin', async () => {
    expect(await knock({})).toEqual(WELCOME);
  });
});

describe('allowedOrigins', () => {
  const channels = { allowedOrigins: ['https://app.example.com', 'http://localhost:5173'] };

  it.each(['https://app.example.com', 'http://localhost:5173'])('lets %s in', async (origin) => {
    expect(await knock({ origin }, channels)).toEqual(WELCOME);
  });

  it.each([
    'http://app.example.com',
    'https://app.example.com:443',
    'https://app.example.com/',
    'https://app.example.com.',
    'https://APP.example.com',
    'https://app.example.com.evil.test',
    'https://evil.app.example.com',
    'http://localhost',
    'null',
    '*',
  ])('refuses %s, which differs from every entry', async (origin) => {
    expect(await knock({ origin }, channels)).toEqual(refused(origin));
  });

  it('takes the place of the rule of the same host', async () => {
    const page = { host: 'example.com', origin: 'https://example.com' };

    expect(await knock(page, channels)).toEqual(refused('https://example.com'));
    expect(await knock(page, { allowedOrigins: [] })).toEqual(refused('https://example.com'));
  });

  it('lets programs in that send no Origin', async () => {
    expect(await knock({}, channels)).toEqual(WELCOME);
  });

  it.each(['https://evil.example', 'null', ''])("'*' lets %j in", async (origin) => {
    expect(await knock({ origin }, { allowedOrigins: '*' })).toEqual(WELCOME);
  });
});

describe('a missing Origin', () => {
  const tokenCookie = 'session';
  const byCookie = { tokenCookie, allowedOrigins: ['https://example.com'] };
  const cookie = 'session=crumb';

  it.each<[string, ChannelsModuleOptions]>([
    ['the same host', {}],
    ['a list', { allowedOrigins: ['https://app.example.com'] }],
    ["'*'", { allowedOrigins: '*' }],
  ])('is refused by requireOrigin, with %s', async (_what, channels) => {
    const verdict = await knock({}, { ...channels, requireOrigin: true });

    expect(verdict).toEqual({ status: 403, advice: 'requireOrigin: false' });
  });

  it('is refused when the token comes in a cookie', async () => {
    const verdict = await knock({ cookie }, { ...byCookie, requireOrigin: false });

    expect(verdict).toEqual({ status: 403, advice: 'a token in a cookie needs an Origin beside it' });
  });

  it('is not refused beside a cookie when the token comes in the header', async () => {
    expect(await knock({ cookie, authorization: 'Bearer t' }, byCookie)).toEqual(WELCOME);
  });

  it('is not refused beside a cookie that holds no token', async () => {
    expect(await knock({ cookie: 'theme=dark' }, byCookie)).toEqual(WELCOME);
    expect(await knock({ cookie }, {})).toEqual(WELCOME);
  });

  it('is not missing to requireOrigin when the page is welcome', async () => {
    const page = { host: 'example.com', origin: 'https://example.com' };

    expect(await knock(page, { requireOrigin: true })).toEqual(WELCOME);
    expect(await knock({ ...page, cookie }, byCookie)).toEqual(WELCOME);
  });
});

describe('behind a proxy', () => {
  const origin = 'https://app.example.com';
  const forwarded = { host: 'internal:3000', 'x-forwarded-host': 'app.example.com' };

  it('the host is the forwarded one with trustProxy', async () => {
    expect(await knock({ ...forwarded, origin }, { trustProxy: true })).toEqual(WELCOME);
    expect(await knock({ ...forwarded, origin: 'http://internal:3000' }, { trustProxy: true })).toEqual(
      refused('http://internal:3000'),
    );
  });

  it('the host is its own without trustProxy', async () => {
    expect(await knock({ ...forwarded, origin })).toEqual(refused(origin));
    expect(await knock({ ...forwarded, origin: 'http://internal:3000' })).toEqual(WELCOME);
  });

  it('the last of several forwarded hosts counts, which the proxy itself has added', async () => {
    const headers = { ...forwarded, 'x-forwarded-host': 'evil.example, app.example.com' };

    expect(await knock({ ...headers, origin }, { trustProxy: true })).toEqual(WELCOME);
    expect(await knock({ ...headers, origin: 'https://evil.example' }, { trustProxy: true })).toEqual(
      refused('https://evil.example'),
    );
  });

  it('the host is its own where the proxy forwards none', async () => {
    const headers = { host: 'app.example.com', origin };

    expect(await knock(headers, { trustProxy: true })).toEqual(WELCOME);
  });
});

describe('the log', () => {
  it('has the exact line to add to the options', async () => {
    const lines: string[] = [];
    const keep = (line: unknown): void => void lines.push(String(line));
    const logger: LoggerService = { log: () => undefined, error: keep, warn: keep };
    const app = await startApp({
      providers: [Gateway],
      channels: { logFormat: 'text' },
      configure: (nest) => nest.useLogger(logger),
    });

    await app.connect('/ws', { origin: 'https://app.example.com' }).catch(() => undefined);

    expect(lines).toEqual([expect.stringMatching(/^refused "\/ws" .* with 403 /)]);
    expect(lines[0]).toMatch(/: allowedOrigins: \["https:\/\/app\.example\.com"\]$/);
  });

  it('is not filled by an Origin of any length', async () => {
    const { advice } = await knock({ origin: `https://${'a'.repeat(5_000)}.example` });

    expect(advice?.length).toBeLessThan(200);
  });
});
