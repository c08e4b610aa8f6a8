import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { CLIENT, OnceGateway, Script, startOnce } from '../support/once-rig.js';
import { startApp } from '../support/start-app.js';

describe('an acked handler', () => {
  it('answers the copy by the next connection with what the first gives, which was cut while it ran', async () => {
    const { script, connect } = await startOnce();
    const began = new Deferred();
    const work = new Deferred<string>();
    script.method = () => {
      began.resolve();
      return work.promise;
    };
    const first = await connect();
    first.send({ event: 'plain', id: 'm', data: 1 });
    await began.promise;
    first.terminate();

    const second = await connect();
    const answer = second.request('plain', 1, { id: 'm' });
    work.resolve('once');

    expect(await answer).toEqual({ ack: 'm', data: 'once' });
    expect(script.ran).toEqual(['method']);
  });

  it('answers the copy by the next connection with what the first gave after it was cut', async () => {
    const { script, connect } = await startOnce();
    const began = new Deferred();
    const work = new Deferred<string>();
    script.method = () => {
      began.resolve();
      return work.promise;
    };
    const first = await connect();
    first.send({ event: 'plain', id: 'm', data: 1 });
    await began.promise;
    first.terminate();
    await first.closed;
    work.resolve('once');

    const second = await connect();

    expect(await second.request('plain', 1, { id: 'm' })).toEqual({ ack: 'm', data: 'once' });
    expect(script.ran).toEqual(['method']);
  });

  it('runs for another user with the same client id and the same message id', async () => {
    const { app, connect } = await startOnce();
    const ada = await connect();
    const bob = await app.connect('/ws', { token: 'bob' });
    await bob.hello({ clientId: CLIENT });

    const answers = [
      await ada.request('with id', 1, { id: 'm' }),
      await bob.request('with id', 1, { id: 'm' }),
    ];

    expect(answers.map(({ data }) => data)).toEqual([
      { id: 'm', principal: 'ada' },
      { id: 'm', principal: 'bob' },
    ]);
  });

  it('runs once for a client without a user, on each connection of its client id', async () => {
    const { app, script } = await startOnce();
    for (let connections = 0; connections < 2; connections++) {
      const client = await app.connect('/ws');
      await client.hello({ clientId: CLIENT });
      await client.request('plain', 1, { id: 'm' });
      await client.close();
    }

    expect(script.ran).toEqual(['method']);
  });

  it('runs once on a connection of a plain client, which has said nothing', async () => {
    const { app, script } = await startOnce();
    const client = await app.connect('/ws', { protocols: [] });

    await client.request('plain', 1, { id: 'm' });
    await client.request('plain', 1, { id: 'm' });

    expect(script.ran).toEqual(['method']);
  });

  it('runs once in a gateway that each connection has an instance of', async () => {
    const { script, connect } = await startOnce();
    const first = await connect('/scoped');
    await first.request('scoped', 1, { id: 'm' });
    await first.close();

    const second = await connect('/scoped');

    expect(await second.request('scoped', 1, { id: 'm' })).toEqual({ ack: 'm', data: 1 });
    expect(script.ran).toEqual(['method']);
  });

  it('takes a store of the application', async () => {
    const keys: unknown[] = [];
    const dedupStore = {
      start: () => undefined,
      claim: (key: unknown) => {
        keys.push(key);
        return { type: 'answered', answer: { type: 'data', data: '"stored"' } } as const;
      },
      renew: () => true,
      resolve: () => true,
      release: () => undefined,
      wait: () => Promise.resolve(),
      close: () => undefined,
    };
    const script = new Script();
    const app = await startApp({
      providers: [OnceGateway, { provide: Script, useValue: script }],
      channels: { dedupStore },
    });
    const client = await app.connect('/ws', { token: 'ada' });
    await client.hello({ clientId: CLIENT });

    expect(await client.request('plain', 1, { id: 5 })).toEqual({ ack: 5, data: 'stored' });
    expect(keys).toEqual([{ principal: 'ada', clientId: CLIENT, id: 5, contentHash: '["plain",1]' }]);
  });
});
