import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSON_SUBPROTOCOL } from 'nestjs-channels/protocol';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../support/free-port.js';
import {
  InstalledApp,
  installedApps,
  RawClient,
  startInstalled,
  type Adapter,
  type Nest,
} from '../support/installed-app.js';
import { readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';

type Start = ReturnType<typeof installedApps>;

const apps = installedApps('rows');
const asBefore = installedApps('rows, as before');
const impatient = installedApps('impatient');
const parsing = installedApps('parser');

// Applications start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 60_000 });

const ECHO = '{"event":"echo","data":"last"}';

/** What a client is sent for some messages. An echo behind them tells when that was all. */
async function replies(
  port: number,
  messages: readonly (object | string)[],
  path = '/rows',
): Promise<string[]> {
  const client = await RawClient.open(port, path);
  for (const message of messages) client.send(message);
  client.send(ECHO);
  await client.receives(ECHO);
  return client.frames.slice(0, -1);
}

/** How a connection ends that sends these messages. */
async function endOf(port: number, messages: readonly (object | string)[]): Promise<number> {
  const client = await RawClient.open(port, '/rows');
  for (const message of messages) client.send(message);
  return (await client.closed).code;
}

function nested(levels: number): string {
  return `{"event":"echo","data":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
}

describe.each(['nest11', 'nest12'] as const)('a difference of section 11, on %s', (nest) => {
  const stock = async (start: Start = apps): Promise<number> => (await start(nest, 'stock', 'express')).port;
  const ours = async (start: Start = apps): Promise<number> =>
    (await start(nest, 'channels', 'express')).port;

  it('row 1: a message has a length and a depth', async () => {
    const long = JSON.stringify({ event: 'echo', data: 'x'.repeat(70_000) });
    const deep = nested(33);

    expect(await replies(await stock(), [long, deep])).toEqual([long, deep]);
    expect(await endOf(await ours(), [long])).toBe(1009);
    expect(await replies(await ours(), [nested(32), deep])).toEqual([
      nested(32),
      expect.stringContaining('"bad_frame"'),
    ]);
  });

  it('row 1: what a gateway says to ws is honoured', async () => {
    const text = 'x'.repeat(70_000);
    for (const port of [await stock(), await ours()]) {
      const client = await RawClient.open(port, '/own-options', ['offered', 'chosen']);
      client.send({ event: 'length', data: text });
      await client.received(1);

      expect(client.frames).toEqual(['70000']);
      expect(client.socket.protocol).toBe('chosen');
    }
  });

  it('row 2: a message with an id has an answer with the id', async () => {
    const message = { event: 'echo', data: 1, id: 7 };
    const plain = '{"event":"echo","data":1}';

    expect(await replies(await stock(), [message])).toEqual([plain]);
    expect(await replies(await ours(), [message])).toEqual(['{"ack":7,"data":1}']);
    expect(await replies(await ours(asBefore), [message])).toEqual([plain]);
  });

  it('row 3: of two handlers of an event the first answers an id', async () => {
    const both = ['{"event":"both","data":"first"}', '{"event":"both","data":"second"}'];
    const ask = async (port: number, message: object): Promise<string[]> => {
      const client = await RawClient.open(port, '/shared');
      client.send(message);
      await client.received(2);
      return client.frames;
    };

    expect(await ask(await stock(), { event: 'both', id: 1 })).toEqual(both);
    expect(await ask(await ours(), { event: 'both' })).toEqual(both);
    expect(await ask(await ours(), { event: 'both', id: 1 })).toEqual(['{"ack":1,"data":"first"}', both[1]]);
    const { app } = await apps(nest, 'channels', 'express');
    await expect.poll(() => app.output).toContain('both handle "both"');
  });

  it('row 4: an exception without an id has the body of Nest 12', async () => {
    const nest12 = (await apps('nest12', 'stock', 'express')).port;
    const message = { event: 'ws exception', data: { a: [1] } };
    const body =
      '{"event":"exception","data":{"status":"error","message":"refused",' +
      '"cause":{"pattern":"ws exception","data":{"a":[1]}}}}';

    expect(await replies(nest12, [message])).toEqual([body]);
    expect(await replies(await ours(), [message])).toEqual([body]);
  });

  it('row 5: bad JSON and an unknown event are told', async () => {
    expect(await replies(await stock(), ['no JSON', { event: 'unknown' }])).toEqual([]);
    expect(await replies(await ours(), ['no JSON'])).toEqual([expect.stringContaining('"bad_frame"')]);
    expect(await replies(await ours(), [{ event: 'unknown' }])).toEqual([
      expect.stringContaining('"unknown_event"'),
    ]);
  });

  it('row 6: what keeps a connection alive has no answer', async () => {
    for (const port of [await stock(), await ours()]) {
      expect(await replies(port, ['ping', { type: 'ping' }, ...Array<string>(20).fill('ping')])).toEqual([]);
    }
  });

  it('row 8: options that a second gateway repeats differently are warned of', async () => {
    await Promise.all([stock(), ours()]);

    const [silent, warned] = [
      (await apps(nest, 'stock', 'express')).app,
      (await apps(nest, 'channels', 'express')).app,
    ];
    await expect.poll(() => warned.output).toContain('SecondGateway: its server options have no effect');
    expect(silent.output).not.toContain('server options');
  });

  it('row 9: exceptions reach the client', async () => {
    const message = { event: 'http exception' };
    const body =
      '{"event":"exception","data":{"status":"error","message":"Internal server error",' +
      '"cause":{"pattern":"http exception"}}}';

    expect(await replies(await stock(), [message])).toEqual(nest === 'nest11' ? [] : [body]);
    expect(await replies(await ours(), [message])).toEqual([body]);
  });

  it('row 10: an HttpException keeps its status in an answer', async () => {
    const message = { event: 'http exception', id: 'a' };

    const hidden = [expect.stringContaining('"message":"Internal server error"')];
    expect(await replies(await stock(), [message])).toEqual(nest === 'nest11' ? [] : hidden);
    expect(await replies(await ours(), [message])).toEqual([
      '{"ack":"a","error":{"code":"bad_request","message":"no such room","retryable":false,' +
        '"details":{"message":"no such room","error":"Not Found","statusCode":404}}}',
    ]);
  });

  it('row 11: a page of another origin is refused', async () => {
    const foreign = { origin: 'https://elsewhere.example' };

    expect((await RawClient.open(await stock(), '/rows', [], foreign)).socket.readyState).toBe(1);
    await expect(RawClient.open(await ours(), '/rows', [], foreign)).rejects.toThrow('403');
    expect((await RawClient.open(await ours(asBefore), '/rows', [], foreign)).socket.readyState).toBe(1);
  });

  it('row 12: a silent peer is reaped', async () => {
    const silent = { autoPong: false };
    const kept = await RawClient.open(await stock(impatient), '/rows', [], silent);
    const reaped = await RawClient.open(await ours(impatient), '/rows', [], silent);

    expect((await reaped.closed).code).toBe(1006);
    kept.send(ECHO);
    await kept.receives(ECHO);
  });

  it('row 13: a message waits for handleConnection', async () => {
    const who = { event: 'who' };
    const release = async (port: number): Promise<void> => {
      const other = await RawClient.open(port, '/waiting?releases');
      other.send({ event: 'release' });
      await other.received(1);
    };
    const early = await RawClient.open(await stock(), '/waiting');
    early.send(who);
    await early.received(1);
    await release(await stock());

    const waiting = await RawClient.open(await ours(), '/waiting');
    waiting.send(who);
    await release(await ours());
    await waiting.received(1);

    expect([early.frames, waiting.frames]).toEqual([
      ['{"event":"you","data":"nobody"}'],
      ['{"event":"you","data":"ann"}'],
    ]);
  });

  it('row 16: who does not read is cut off', async () => {
    const flood = async (port: number): Promise<RawClient> => {
      const client = await RawClient.open(port, '/rows');
      client.socket.pause();
      client.send({ event: 'flood' });
      const other = await RawClient.open(port, '/rows');
      other.send(ECHO);
      await other.receives(ECHO);
      client.socket.resume();
      return client;
    };

    const patient = await flood(await stock());
    await patient.receives('{"event":"flooded"}');
    expect(patient.frames).toHaveLength(513);
    expect((await (await flood(await ours())).closed).code).toBe(1006);
  });

  it('row 17: a request-scoped gateway is one for each connection', async () => {
    const counts = async (port: number): Promise<string[]> => {
      const client = await RawClient.open(port, '/scoped');
      await client.receives('"ready"');
      for (let message = 0; message < 2; message++) client.send({ event: 'count' });
      await client.received(3);
      return client.frames.slice(1);
    };
    const each = [1, 2].map((data) => JSON.stringify({ event: 'count', data }));
    const adapters = [await ours(), ...(nest === 'nest12' ? [await stock()] : [])];

    for (const port of adapters) expect([await counts(port), await counts(port)]).toEqual([each, each]);
  });

  it('row 18: a parser of the application reads plain connections only', async () => {
    const port = await ours(parsing);
    const plain = await RawClient.open(port, '/rows');
    plain.send('echo|hi');
    await plain.received(1);
    const speaking = await RawClient.open(port, '/rows', [JSON_SUBPROTOCOL]);
    speaking.send({ event: 'echo', data: 'hi' });
    await speaking.received(1);

    expect([plain.frames, speaking.frames]).toEqual([
      ['{"event":"echo","data":"hi"}'],
      ['{"event":"echo","data":"hi"}'],
    ]);
  });

  it('row 22: an upgrade on an unknown path has an answer', async () => {
    await expect(RawClient.open(await stock(), '/unknown')).rejects.toThrow('socket hang up');
    await expect(RawClient.open(await ours(), '/unknown')).rejects.toThrow('404');
  });

  it('row 7: global enhancers run where the installed Nest runs them, or as the option says', async () => {
    const ask = async (set: string, adapter: Adapter): Promise<string[]> => {
      const { port } = await startInstalled(nest, adapter, set);
      const client = await RawClient.open(port, '/rows');
      client.send(ECHO);
      await client.received(1);
      return client.frames;
    };
    const marked = `{"marked":${ECHO}}`;
    const asInstalled = nest === 'nest11' ? ECHO : marked;

    const asked = await Promise.all([
      ask('global', 'stock'),
      ask('global', 'channels'),
      ask('global, for messages', 'channels'),
      ask('global, not for messages', 'channels'),
    ]);

    expect(asked).toEqual([[asInstalled], [asInstalled], [marked], [ECHO]]);
  });

  it('row 14: a shutdown says good-bye', async () => {
    const end = async (adapter: Adapter): Promise<number> => {
      const { app, port } = await startInstalled(nest, adapter, 'faults');
      const client = await RawClient.open(port, '/crash');
      app.stop();
      return (await client.closed).code;
    };

    expect([await end('stock'), await end('channels')]).toEqual([1006, 1012]);
  });

  it('row 1: a depth that ends the stock application is refused', async () => {
    const deep = nested(6_000);

    expect(deep.length).toBeLessThan(12_288);
    expect(await fates('/crash', deep)).toEqual(['ended with 1', 'lives']);
  });

  it('row 19: a listener that throws is reported and does not end the application', async () => {
    expect(await fates('/crash?listener', ECHO, 'from a listener')).toEqual(['ended with 1', 'lives']);
  });

  it('row 20: a throw in handleConnection neither', async () => {
    expect(await fates('/crash-at-once?throws', undefined, 'from handleConnection')).toEqual([
      'ended with 1',
      'lives',
    ]);
  });

  it('row 20: a rejection of handleConnection neither', async () => {
    expect(await fates('/crash?rejects', undefined, 'from handleConnection, later')).toEqual([
      'ended with 1',
      'lives',
    ]);
  });

  it('row 20: but the connection ends', async () => {
    const { port } = await startInstalled(nest, 'channels', 'faults');
    const clients = await Promise.all(
      ['/crash-at-once?throws', '/crash?rejects'].map((path) => RawClient.open(port, path)),
    );

    expect(await Promise.all(clients.map(({ closed }) => closed))).toMatchObject([
      { code: 1011 },
      { code: 1011 },
    ]);
  });

  /** What becomes of the stock application and of ours, when such a client comes beside another one. */
  function fates(path: string, message?: string, told = ''): Promise<string[]> {
    const fate = async (adapter: Adapter): Promise<string> => {
      const { app, port } = await startInstalled(nest, adapter, 'faults');
      const bystander = await RawClient.open(port, '/crash');
      const faulty = await RawClient.open(port, path);
      if (message !== undefined) faulty.send(message);
      if (adapter === 'stock') return `ended with ${await app.exited}`;
      await (message === undefined ? faulty.closed : faulty.received(1));
      bystander.send(ECHO);
      await bystander.receives(ECHO);
      await vi.waitUntil(() => app.output.includes(told));
      return 'lives';
    };
    return Promise.all([fate('stock'), fate('channels')]);
  }

  it('row 21: an event with a $ is refused at the start', async () => {
    const { port } = await startInstalled(nest, 'stock', 'dollar');
    const client = await RawClient.open(port, '/dollar');
    client.send({ event: '$price' });
    await client.received(1);
    const refused = InstalledApp.run(nest, 'channels', 'express', 'dollar');

    expect(client.frames).toEqual(['{"event":"price","data":1}']);
    expect(await refused.exited).toBe(1);
    expect(refused.output).toContain('"$price"');
  });
  it('row 24: a port of its own is open when the application has started', async () => {
    const knocked = async (adapter: Adapter): Promise<string[]> => {
      const ownPort = await freePort();
      await startInstalled(nest, adapter, 'own port', String(ownPort));
      const client = await RawClient.open(ownPort, '/own');
      client.send({ event: 'knocked' });
      await client.received(1);
      return client.frames;
    };

    expect(await knocked('stock')).toEqual(['{"event":"knocked","data":"let in"}']);
    expect(await knocked('channels')).toEqual(['{"event":"knocked","data":"ECONNREFUSED"}']);
  });
});

it('row 17: is broken on the stock adapter of Nest 11', async () => {
  const answers = async (nest: Nest): Promise<string[]> => {
    const { port } = await apps(nest, 'stock', 'express');
    const client = await RawClient.open(port, '/scoped');
    await client.receives('"ready"');
    client.send({ event: 'count' });
    // Behind it, on a connection of its own: a gateway that takes a turn of the loop for its answer.
    await replies(port, [{ event: 'later' }]);
    return client.frames.slice(1);
  };

  expect(await answers('nest11')).toEqual([]);
  expect(await answers('nest12')).toEqual(['{"event":"count","data":1}']);
});

it('tests every row of section 11 that is in use', () => {
  const markdown = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
  const rows = readTable(markdown, '11', ['row', 'stock adapter', 'here']);
  const specs = ['rows.spec.ts', 'rows-handlers.spec.ts'].map((file) =>
    readFileSync(join(ROOT, 'test/apps', file), 'utf8'),
  );
  const tested = specs.flatMap((text) => [...text.matchAll(/\bit\('row (\d+): /g)].map(([, row]) => row));
  const inUse = rows.filter(({ here }) => !here.includes('_(reserved)_')).map((cells) => cells.row);

  expect(inUse.length).toBeGreaterThan(20);
  expect([...new Set(tested)].toSorted((a, b) => Number(a) - Number(b))).toEqual(inUse);
});
