import { setTimeout as soon } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule, type ChannelsModuleOptions, type HandshakeRequest } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { guardedGateway, WhoamiGateway } from '../support/guarded-gateway.js';
import { recordRefusals, refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

@WebSocketGateway({ path: '/ws' })
class Gateway extends WhoamiGateway {}

@WebSocketGateway({ path: '/small', maxPayload: 32 })
class SmallGateway extends WhoamiGateway {}

/** The answer to a message of this size, or how it ended the connection. */
async function outcomeOf(app: ChannelsTestApp, path: string, bytes: number): Promise<unknown> {
  const client = await app.connect(path, PLAIN);
  client.sendRaw(JSON.stringify({ event: 'whoami', data: '' }).padEnd(bytes));
  return client.next().catch(() => client.closed);
}

describe('ChannelsModule.forRootAsync', () => {
  it('gives every option, with what it injects', async () => {
    @Injectable()
    class Settings {
      readonly options: ChannelsModuleOptions = {
        allowedOrigins: ['https://app.example.com'],
        tokenCookie: 'session',
        session: ({ headers }) => ({ principal: String(headers.authorization) }),
      };
    }

    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}

    const app = await startApp({
      imports: [
        ChannelsModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: (settings: Settings) => soon(0, settings.options),
        }),
      ],
      providers: [Gateway],
    });

    const client = await app.connect('/ws', {
      origin: 'https://app.example.com',
      headers: { cookie: 'session=crumb' },
    });

    expect((await client.request('whoami')).data).toMatchObject({ principal: 'Bearer crumb' });
    expect((await refusalOf(app.connect('/ws', { origin: app.url() }))).statusCode).toBe(403);
  });

  it('gives the server of ws its options', async () => {
    const app = await startApp({
      imports: [ChannelsModule.forRootAsync({ useFactory: () => ({ server: { maxPayload: 64 } }) })],
      providers: [Gateway, SmallGateway],
    });

    const outcomes = [
      await outcomeOf(app, '/ws', 64),
      await outcomeOf(app, '/ws', 65),
      await outcomeOf(app, '/small', 33),
    ];

    expect(outcomes).toMatchObject([{ principal: '' }, { code: 1009 }, { code: 1009 }]);
  });

  it('refuses the start with what its factory fails with', async () => {
    const start = startApp({
      imports: [ChannelsModule.forRootAsync({ useFactory: () => Promise.reject(new Error('no settings')) })],
    });

    await expect(start).rejects.toThrow('no settings');
  });

  it.each<[ChannelsModuleOptions, string]>([
    [{ handshakeTimeoutMs: 0 }, 'handshakeTimeoutMs (0) must be a whole number of at least 1.'],
    [{ maxPendingUpgrades: 0 }, 'maxPendingUpgrades (0) must be a whole number of at least 1.'],
    [{ maxPendingUpgrades: 1.5 }, 'maxPendingUpgrades (1.5) must be a whole number of at least 1.'],
  ])('refuses the start with %o', async (options, message) => {
    const start = startApp({ imports: [ChannelsModule.forRootAsync({ useFactory: () => options })] });

    await expect(start).rejects.toThrow(message);
  });
});

describe('the option server', () => {
  it('chooses among foreign subprotocols, and never about ours', async () => {
    const asked: string[][] = [];
    const handleProtocols = (protocols: Set<string>): string | false => {
      asked.push([...protocols]);
      return protocols.has('b') && 'b';
    };
    const app = await startApp({ providers: [Gateway], channels: { server: { handleProtocols } } });

    const foreign = await app.connect('/ws', { protocols: ['a', 'b'], bearer: 'secret' });
    const ours = await app.connect('/ws', { protocols: ['nestjs-channels.v1.json', 'b'] });

    expect([foreign.protocol, ours.protocol]).toEqual(['b', 'nestjs-channels.v1.json']);
    expect(asked).toEqual([['a', 'b']]);
  });

  it('cannot move the server elsewhere', async () => {
    const app = await startApp({
      providers: [Gateway],
      channels: { server: { port: 1, path: '/elsewhere', noServer: false } },
    });

    const client = await app.connect('/ws');

    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
  });
});

describe('the option trustProxy', () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.7, 203.0.113.9' };

  /** The address that a guard sees, and the one that its refusal is reported with. */
  async function addressesOf(
    channels: ChannelsModuleOptions,
    headers: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const seen: unknown[] = [];
    const { observer, refusals } = recordRefusals();
    const gateway = guardedGateway(({ ip }: HandshakeRequest) => seen.push(ip) < 0);
    const app = await startApp({ providers: [gateway], channels: { ...channels, observers: [observer] } });
    await refusalOf(app.connect('/ws', { ...PLAIN, headers }));
    return [...seen, ...refusals.map(({ address }) => address)];
  }

  it('makes the last hop of X-Forwarded-For the address of the client', async () => {
    expect(await addressesOf({ trustProxy: true }, forwarded)).toEqual(['203.0.113.9', '203.0.113.9']);
  });

  it('leaves the address of the socket where the header is missing', async () => {
    expect(await addressesOf({ trustProxy: true }, {})).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('unset, believes no header', async () => {
    expect(await addressesOf({}, forwarded)).toEqual(['127.0.0.1', '127.0.0.1']);
  });
});
