import { SubscribeMessage, WebSocketGateway, MessageBody } from '@nestjs/websockets';
import { Acked } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../core/engine-rig.js';
import { Deferred } from '../support/deferred.js';
import { startApp } from '../support/start-app.js';

/** Keeps what has begun, and ends it when the test says so. */
class Works {
  readonly begun: unknown[] = [];
  readonly #works = new Map<unknown, Deferred<unknown>>();

  begin(data: unknown): Promise<unknown> {
    this.begun.push(data);
    return this.of(data).promise;
  }

  end(data: unknown): void {
    this.of(data).resolve(data);
  }

  of(data: unknown): Deferred<unknown> {
    const work = this.#works.get(data) ?? new Deferred<unknown>();
    this.#works.set(data, work);
    return work;
  }
}

@WebSocketGateway({ path: '/ws' })
class LaneGateway {
  constructor(private readonly works: Works) {}

  @SubscribeMessage('acked')
  @Acked()
  acked(@MessageBody() data: unknown): Promise<unknown> {
    return this.works.begin(data);
  }

  @SubscribeMessage('acked too')
  @Acked()
  ackedToo(@MessageBody() data: unknown): Promise<unknown> {
    return this.works.begin(data);
  }

  @SubscribeMessage('concurrent')
  @Acked({ concurrent: true })
  concurrent(@MessageBody() data: unknown): Promise<unknown> {
    return this.works.begin(data);
  }

  @SubscribeMessage('plain')
  plain(@MessageBody() data: unknown): unknown {
    this.works.begun.push(data);
    return data;
  }
}

async function start(): Promise<{ works: Works; connect(): Promise<TestClient> }> {
  const works = new Works();
  const app = await startApp({ providers: [LaneGateway, { provide: Works, useValue: works }] });
  return { works, connect: () => app.connect('/ws') };
}

/** Everything that was sent before has been received. */
async function received(client: TestClient): Promise<void> {
  await client.request('plain', 'fence', { id: `fence ${client.frames.length}` });
}

describe('messages to acked handlers', () => {
  it('run one after the other, in the order of arrival, also to different handlers', async () => {
    const { works, connect } = await start();
    const client = await connect();
    client.send({ event: 'acked', data: 1, id: 1 });
    client.send({ event: 'acked too', data: 2, id: 2 });
    client.send({ event: 'acked', data: 3, id: 3 });
    await received(client);
    const begun: unknown[][] = [works.begun.filter((data) => data !== 'fence')];

    for (const data of [1, 2, 3]) {
      works.end(data);
      await client.waitFor({ ack: data });
      begun.push(works.begun.filter((other) => other !== 'fence'));
    }

    expect(begun).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 3]]);
  });

  it('let a concurrent handler, other messages and pings pass by', async () => {
    const { works, connect } = await start();
    const client = await connect();
    client.send({ event: 'acked', data: 'slow', id: 1 });

    client.send({ event: 'concurrent', data: 'beside', id: 2 });
    await received(client);
    works.end('beside');
    const beside = await client.waitFor({ ack: 2 });
    const ping = await client.request('$ping', undefined, { id: 3 });

    expect([beside, ping]).toEqual([{ ack: 2, data: 'beside' }, { ack: 3 }]);
    expect(works.begun).toEqual(['slow', 'beside', 'fence']);
    works.end('slow');
    expect(await client.waitFor({ ack: 1 })).toEqual({ ack: 1, data: 'slow' });
  });

  it('of two connections run in parallel', async () => {
    const { works, connect } = await start();
    const [one, two] = [await connect(), await connect()];
    one.send({ event: 'acked', data: 'slow', id: 1 });
    await received(one);

    const answer = two.request('acked', 'fast', { id: 1 });
    works.end('fast');

    expect(await answer).toEqual({ ack: 1, data: 'fast' });
    works.end('slow');
  });

  it('have effects and acks in order, however long each takes', async () => {
    const { works, connect } = await start();
    const client = await connect();
    const random = seededRandom(7);
    const count = 60;
    works.begin = async (data) => {
      for (let turns = random.next() * 10; turns > 0; turns--) await new Promise(setImmediate);
      works.begun.push(data);
      return data;
    };
    const ids = Array.from({ length: count }, (_, at) => at);

    for (const id of ids) client.send({ event: 'acked', data: id, id });
    await client.waitFor({ ack: count - 1 });

    expect(works.begun).toEqual(ids);
    expect(client.frames.map((frame) => (frame as { ack: unknown }).ack)).toEqual(ids);
  });
});
