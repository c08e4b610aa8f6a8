import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsError, type ChannelSocket } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { from, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { watchProcess } from '../support/process-faults.js';
import { startApp } from '../support/start-app.js';

const SECRET = 'password=hunter2';

/** Lets a test decide what a handler returns. */
class Script {
  run: (client: ChannelSocket) => unknown = () => undefined;
}

@WebSocketGateway({ path: '/ws' })
class ScriptedGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('run')
  run(@ConnectedSocket() client: ChannelSocket): unknown {
    return this.script.run(client);
  }

  @SubscribeMessage('fence')
  fence(): void {}
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly script: Script;
  readonly client: TestClient;
  readonly bystander: TestClient;
  readonly faults: readonly unknown[];
}

async function start(): Promise<Rig> {
  const faults = watchProcess();
  const script = new Script();
  const app = await startApp({ providers: [ScriptedGateway, { provide: Script, useValue: script }] });
  const [client, bystander] = [await app.connect('/ws'), await app.connect('/ws')];
  return { app, script, client, bystander, faults };
}

/** The connection, every other one and the process go on. */
async function expectUnharmed({ client, bystander, faults }: Rig): Promise<void> {
  expect(await bystander.request('fence')).not.toHaveProperty('error');
  expect(await client.request('fence')).not.toHaveProperty('error');
  expect(faults).toEqual([]);
}

function circular(): object {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function fail(): never {
  throw new Error(SECRET);
}

/** An object whose member throws when it is read. */
function throwing(member: string, others: object = {}): object {
  return Object.defineProperty({ ...others }, member, { enumerable: true, get: fail });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

const UNENCODABLE: readonly [string, () => unknown][] = [
  ['a circle', circular],
  ['a BigInt', () => 1n],
  ['a BigInt inside', () => ({ event: 'reply', data: { deep: [1n] } })],
  ['a getter that throws', () => throwing('anything')],
  ['an event that throws', () => throwing('event', { data: 1 })],
  ['data that throws', () => throwing('data', { event: 'reply' })],
  ['a "then" that throws', () => throwing('then')],
  ['a "lift" that throws', () => throwing('lift', { subscribe: of })],
  ['a "subscribe" that throws', () => throwing('subscribe', { lift: of })],
  [
    'an Observable that throws when it is subscribed',
    () => ({ lift: of, subscribe: fail, circle: circular() }),
  ],
  ['a "toJSON" that throws when it is read', () => throwing('toJSON')],
  ['a toJSON that throws', () => ({ toJSON: fail })],
  ['a revoked proxy', revoked],
  ['nesting that exhausts the stack', () => nested(1_000_000)],
];

describe('a result that cannot be encoded', () => {
  it.each(UNENCODABLE)('is answered internal: %s', async (_, value) => {
    const rig = await start();
    rig.script.run = value;

    const { error } = await rig.client.request('run');

    expect(error).toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/^Internal server error \(/),
    });
    expect(JSON.stringify(rig.client.frames)).not.toContain(SECRET);
    await expectUnharmed(rig);
  });

  it.each(UNENCODABLE)('is answered internal where it comes later: %s', async (_, value) => {
    const rig = await start();
    rig.script.run = async () => ({ wrapped: await Promise.resolve({ value: value() }) }).wrapped.value;

    const { error } = await rig.client.request('run');

    expect(error).toMatchObject({ code: 'internal' });
    await expectUnharmed(rig);
  });

  it.each(UNENCODABLE)('is answered internal as an item of a stream: %s', async (_, value) => {
    const rig = await start();
    rig.script.run = () => from(['first', value()]);

    const { items, final } = await rig.client.stream('run');

    expect(items).toEqual(['first']);
    expect(final.error).toMatchObject({ code: 'internal' });
    await expectUnharmed(rig);
  });

  it.each(UNENCODABLE)('is told by an exception where nobody waits for an answer: %s', async (_, value) => {
    const rig = await start();
    rig.script.run = value;

    rig.client.send({ event: 'run' });

    expect(await rig.client.next()).toMatchObject({ event: 'exception', data: { status: 'error' } });
    await expectUnharmed(rig);
  });

  it('throws to the handler that pushes it', async () => {
    const rig = await start();
    rig.script.run = (client) => client.push('event', circular());

    expect((await rig.client.request('run')).error).toMatchObject({ code: 'internal' });
    await expectUnharmed(rig);
  });
});

describe('a result that is deeply nested', () => {
  it('is sent as it is, beyond what a client may nest', async () => {
    const rig = await start();
    rig.script.run = () => nested(1_000);

    rig.client.send({ event: 'run', id: 1 });
    const answer = await rig.client.next();

    expect(JSON.stringify(answer)).toBe(`{"ack":1,"data":${'['.repeat(1_000)}${']'.repeat(1_000)}}`);
    await expectUnharmed(rig);
  });

  it('is answered once, with itself or as internal, where the stack is just large enough or not', async () => {
    const rig = await start();
    rig.script.run = () => nested(6_000);

    rig.client.send({ event: 'run', id: 1 });
    const answer = await rig.client.waitFor({ ack: 1 });

    expect('data' in answer || (answer['error'] as { code: string }).code === 'internal').toBe(true);
    await expectUnharmed(rig);
    expect(rig.client.frames).toHaveLength(2);
  });
});

describe('anything that is thrown', () => {
  it.each<[string, () => unknown]>([
    ['null', () => null],
    ['undefined', () => undefined],
    ['a text', () => SECRET],
    ['a symbol', () => Symbol(SECRET)],
    ['a BigInt', () => 5n],
    ['an object without a prototype', () => Object.create(null) as unknown],
    ['a revoked proxy', revoked],
    ['a getter of getStatus that throws', () => throwing('getStatus')],
    ['a getter of getError that throws', () => throwing('getError')],
    ['a getStatus that throws', () => ({ getStatus: fail, getResponse: fail })],
    [
      'an Error whose message throws',
      () => Object.assign(Object.create(Error.prototype), throwing('message')),
    ],
    ['a text that cannot be made', () => ({ toString: fail })],
    [
      'a ChannelsError with a circle in its details',
      () => new ChannelsError('conflict', 'x', { details: circular() }),
    ],
  ])('is answered, at once and later: %s', async (_, value) => {
    const rig = await start();
    rig.script.run = () => {
      throw value();
    };
    const atOnce = await rig.client.request('run');
    rig.script.run = () => Promise.reject(value());
    const later = await rig.client.request('run');
    rig.client.send({ event: 'run' });
    const exception = await rig.client.waitFor({ event: 'exception' });

    expect([atOnce, later]).toEqual([
      { ack: atOnce.ack, error: expect.objectContaining({ code: expect.any(String), retryable: false }) },
      { ack: later.ack, error: expect.objectContaining({ code: expect.any(String), retryable: false }) },
    ]);
    expect(exception).toMatchObject({ data: { status: 'error' } });
    expect(JSON.stringify(rig.client.frames)).not.toContain(SECRET);
    await expectUnharmed(rig);
  });
});
