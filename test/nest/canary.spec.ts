import type { Observer } from 'nestjs-channels';
import { ForbiddenException } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelSocket } from 'nestjs-channels';
import type { TestClient, TestClientOptions } from 'nestjs-channels/testing';
import { createChannelsTestApp, type ChannelsTestApp } from 'nestjs-channels/testing';
import { expect, it, onTestFinished } from 'vitest';
import { BEARER_SUBPROTOCOL_PREFIX, JSON_SUBPROTOCOL } from '../../lib/protocol/index.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { ClaimsGuard, Desk, TokenGateway, tokenOf } from '../support/token-rig.js';

/** In the signature of a token that is right, and a token of its own where one is to be wrong. */
const CANARY = 'cAnArY0123456789cAnArY';
const ENCODED = Buffer.from(CANARY).toString('base64url');
const EXP = Math.round(Date.now() / 1_000) + 3_600;
const TOKEN = tokenOf({ sub: 'ada', exp: EXP }).replace(/[^.]+$/, CANARY);
const OTHER = tokenOf({ sub: 'eve', exp: EXP }).replace(/[^.]+$/, CANARY);

const PAGE = 'https://app.example.com';

/** An application that tells what it should not, to show that it would be found. */
@WebSocketGateway({ path: '/ws' })
class LeakyGateway {
  @SubscribeMessage('leak')
  leak(@ConnectedSocket() client: ChannelSocket): never {
    throw new Error(`the token is ${CANARY}, of ${client.principal}`);
  }

  @SubscribeMessage('give')
  give(): string {
    return CANARY;
  }

  @SubscribeMessage('close')
  close(@ConnectedSocket() client: ChannelSocket): void {
    client.close(4000, CANARY);
  }
}

/** Where something can be told. */
type Ear = 'log' | 'observers' | 'refusals' | 'closes' | 'frames';

interface Rig {
  readonly app: ChannelsTestApp;
  connect(options: TestClientOptions, path?: string): Promise<TestClient>;
  /** Everything that anybody was told, or this one. */
  told(ear?: Ear): string;
}

async function start(): Promise<Rig> {
  const logger = new RecordingLogger();
  const observers: string[] = [];
  const refusals: string[] = [];
  const closes: string[] = [];
  const clients: TestClient[] = [];
  const app = await createChannelsTestApp({
    providers: [TokenGateway, ClaimsGuard, Desk, LeakyGateway],
    channels: {
      observers: [listener(observers)],
      tokenCookie: 'session',
      allowedOrigins: [PAGE],
      requireOrigin: false,
    },
    configure: (nest) => nest.useLogger(logger),
  });
  onTestFinished(() => app.close());
  return {
    app,
    connect: async (options, path = '/ws') => {
      try {
        const client = await app.connect(path, {
          origin: PAGE,
          ...options,
        });
        clients.push(client);
        void client.closed.then((close) => closes.push(JSON.stringify(close)));
        return client;
      } catch (error) {
        const { message, body, headers } = error as Record<string, unknown>;
        refusals.push(JSON.stringify([message, body, headers]));
        throw error;
      }
    },
    told: (ear) => {
      const frames = clients.flatMap(({ protocol, frames: all }) => [protocol, JSON.stringify(all)]);
      const ears: Record<Ear, readonly string[]> = { log: logger.lines, observers, refusals, closes, frames };
      return (ear ? ears[ear] : Object.values(ears).flat()).join('\n');
    },
  };
}

/** Writes down all that an observer is told, as one that keeps metrics or an audit would. */
function listener(heard: string[]): Observer {
  const note =
    (name: string) =>
    (...args: unknown[]): void => {
      heard.push(`${name} ${args.map(describe).join(' ')}`);
    };
  const names = [
    ...['opened', 'closed', 'refused', 'faulted', 'failed', 'published', 'delivered', 'acked'],
    ...['evicted', 'brokerChanged', 'warned', 'gap', 'dropped'],
  ];
  return Object.fromEntries(names.map((name) => [name, note(name)]));
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { id, principal, address, path, ours, error, ...others } = value as Record<string, unknown>;
  const own = 'engine' in others ? {} : others;
  return JSON.stringify({ id, principal, address, path, ours, error: String(error), own });
}

const SOURCES: [string, TestClientOptions][] = [
  ['a header', { token: TOKEN }],
  ['a header that is refused', { token: CANARY }],
  ['a header of another scheme', { headers: { authorization: `Basic ${CANARY}` } }],
  ['a cookie', { headers: { cookie: `session=${TOKEN}` } }],
  ['a cookie that is refused', { headers: { cookie: `session=${CANARY}` } }],
  ['a subprotocol', { bearer: TOKEN }],
  ['a subprotocol that is refused', { bearer: CANARY }],
  ['a subprotocol of a plain client', { protocols: ['chat'], bearer: TOKEN }],
  [
    'a subprotocol that is not encoded',
    { protocols: [JSON_SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + CANARY] },
  ],
  [
    'a misspelt subprotocol',
    { protocols: [JSON_SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX.toUpperCase() + CANARY] },
  ],
];

it.each(SOURCES)('tells nobody a token that comes as %s', async (_what, options) => {
  const rig = await start();

  for (const path of ['/ws', `/ws?token=${CANARY}`, `/nowhere?token=${CANARY}`]) {
    const client = await rig.connect(options, path).catch(() => undefined);
    await client?.request('who').catch(() => undefined);
  }

  expect(rig.told()).not.toContain(CANARY);
  expect(rig.told()).not.toContain(ENCODED);
});

it.each([
  ['that is taken', { event: '$refresh', id: 1, data: { token: TOKEN } }],
  ['that is refused', { event: '$refresh', id: 1, data: { token: CANARY } }],
  ['of another principal', { event: '$refresh', id: 1, data: { token: OTHER } }],
  ['in the wrong place', { event: '$refresh', id: 1, data: CANARY }],
  ['under another name', { event: '$refresh', id: 1, data: { jwt: CANARY } }],
  ['in a list', { event: '$refresh', id: 1, data: { token: [CANARY] } }],
  ['with a line break', { event: '$refresh', id: 1, data: { token: `${CANARY}\n` } }],
  ['without an id', { event: '$refresh', data: { token: CANARY } }],
  ['with an id that is none', { event: '$refresh', id: {}, data: { token: CANARY } }],
  ['cut off', `{"event":"$refresh","id":1,"data":{"token":"${CANARY}`],
  ['with __proto__', `{"event":"$refresh","id":1,"data":{"token":"${CANARY}","__proto__":{}}}`],
])('tells nobody a token of $refresh %s', async (_what, frame) => {
  const rig = await start();
  const client = await rig.connect({ token: TOKEN });

  client.sendRaw(typeof frame === 'string' ? frame : JSON.stringify(frame));
  await client.request('who').catch(() => undefined);

  expect(rig.told()).not.toContain(CANARY);
});

it.each([
  ['that is taken', CANARY.padEnd(22, 'x')],
  ['that is too short', CANARY.slice(0, 21)],
  ['with a blank', `${CANARY} ${CANARY}`],
  ['that is no text', [CANARY]],
])('tells nobody a clientId %s', async (_what, clientId) => {
  const rig = await start();
  const first = await rig.connect({ token: TOKEN });
  await first.hello({ clientId });
  await first.request('count', 1, { id: 'm' });
  const second = await rig.connect({ token: TOKEN });

  await second.hello({ clientId });
  await second.request('count', 1, { id: 'm' });
  await second.request('count', 2, { id: 'm' });

  expect(rig.told()).not.toContain(CANARY.slice(0, 21));
});

it.each<[Ear, (rig: Rig) => Promise<unknown>]>([
  ['log', async (rig) => (await rig.connect({ token: TOKEN })).request('leak')],
  ['frames', async (rig) => (await rig.connect({ token: TOKEN })).request('give')],
  ['observers', async (rig) => (await rig.connect({ token: TOKEN })).request(CANARY)],
  [
    'closes',
    async (rig) => {
      const client = await rig.connect({ token: TOKEN });
      client.send({ event: 'close' });
      await client.closed;
    },
  ],
  [
    'refusals',
    async (rig) => {
      const refusing = Promise.reject(new ForbiddenException(`not with ${CANARY}`));
      refusing.catch(() => undefined);
      rig.app.nest.get(Desk).opens = refusing;
      await rig.connect({ token: TOKEN, protocols: [] }).catch(() => undefined);
    },
  ],
])('would find what an application tells itself: %s', async (ear, tell) => {
  const rig = await start();

  await tell(rig);

  expect(rig.told(ear)).toContain(CANARY);
});
