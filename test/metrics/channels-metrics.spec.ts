import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelSocket, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { ChannelsClient } from 'nestjs-channels/client';
import { ChannelsMetrics } from 'nestjs-channels/metrics';
import { TestClient } from 'nestjs-channels/testing';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { RecordingObserver } from '../support/recording-observer.js';
import { ROOT } from '../support/repository.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class Gateway {
  @SubscribeChannel(defineChannel('chat:{room}', { history: true }))
  join(): void {}

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  @Acked()
  @SubscribeMessage('order')
  order(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('throw')
  throw(): never {
    throw new Error('of the application');
  }

  @SubscribeMessage('bye')
  bye(@ConnectedSocket() socket: ChannelSocket & { close(code: number): void }): void {
    socket.close(4_999);
  }
}

async function start() {
  const registry = new Registry();
  const recorder = new RecordingObserver();
  const observers = [new ChannelsMetrics({ registry, process: false }), recorder];
  const app = await startApp({ providers: [Gateway], channels: { observers } });
  /** The values of one metric, by its labels. */
  const read = async (name: string): Promise<Record<string, number>> => {
    const { values } = await (registry.getSingleMetric(`channels_${name}`) as Readable).get();
    return Object.fromEntries(
      values.map(({ labels, value, metricName }) => [
        [metricName?.replace(`channels_${name}`, ''), ...Object.values(labels)].filter(Boolean).join(' '),
        value,
      ]),
    );
  };
  return { app, recorder, registry, read };
}

interface Readable {
  get(): Promise<{
    readonly values: readonly {
      readonly labels: object;
      readonly value: number;
      readonly metricName?: string;
    }[];
  }>;
}

describe('ChannelsMetrics', () => {
  it('counts connections, by path and code', async () => {
    const { app, recorder, read } = await start();
    const [ada, grace] = [await app.connect('/ws'), await app.connect('/ws')];
    const open = await read('connections');

    ada.send({ event: 'bye' });
    await recorder.until(({ closes }) => closes.length === 1);
    await grace.close();
    await recorder.until(({ closes }) => closes.length === 2);

    expect([open, await read('connections')]).toEqual([{ '/ws': 2 }, {}]);
    expect(await read('connections_opened_total')).toEqual({ '/ws': 2 });
    // A peer may close with any of thousands.
    expect(await read('connections_closed_total')).toEqual({ '/ws other': 1, '/ws 1005': 1 });
    expect(await read('connection_duration_seconds')).toMatchObject({ _count: 2 });
  });

  it('counts handshakes by their outcome, with their time', async () => {
    const { app, read } = await start();
    await app.connect('/ws');
    await expect(TestClient.connect(app.url('/nowhere'), { protocols: [] })).rejects.toThrow('404');

    expect(await read('handshakes_total')).toEqual({ opened: 1, request: 1 });
    expect(await read('handshake_duration_seconds')).toMatchObject({
      '_count opened': 1,
      '_count refused': 1,
    });
  });

  it('counts messages and bytes each way, of connections that are gone as well', async () => {
    const { app, recorder, read } = await start();
    const client = await app.connect('/ws');
    await client.request('echo', 'hello', { id: 1 });
    const before = await read('messages_received_total');
    await client.close();
    await recorder.until(({ closes }) => closes.length === 1);

    expect([before, await read('messages_received_total')]).toEqual([{ '': 1 }, { '': 1 }]);
    expect(await read('messages_sent_total')).toEqual({ '': 1 });
    const [received, sent] = [await read('bytes_received_total'), await read('bytes_sent_total')];
    // The upgrade is among what was received.
    expect(received['']).toBeGreaterThan(100);
    expect(sent['']).toBeGreaterThanOrEqual('{"ack":1,"data":"hello"}'.length);
  });

  it('counts answers by declared event and outcome, and times handlers', async () => {
    const { app, read } = await start();
    const client = await app.connect('/ws');

    await client.request('order', 1, { id: 'a' });
    await client.request('order', 1, { id: 'a' });
    await client.request('throw', undefined, { id: 'b' });
    await client.request('made-up-by-a-peer', undefined, { id: 'c' });

    expect(await read('acks_total')).toEqual({ 'order done': 1, 'order repeated': 1, 'throw failed': 1 });
    expect(await read('handler_duration_seconds')).toMatchObject({ '_count order': 1, '_count throw': 1 });
    expect(await read('faults_total')).toEqual({ unknown_event: 1 });
    expect(await read('failures_total')).toEqual({ '': 1 });
  });

  it('counts joins, publications and deliveries by the pattern of the channel, never by its name', async () => {
    const { app, read } = await start();
    const [ada, grace] = [await app.connect('/ws'), await app.connect('/ws')];
    for (const client of [ada, grace])
      await client.request('$subscribe', { channel: 'chat:lobby' }, { id: 's' });

    await app.channels.publish('chat:lobby', 'said', 'hi');
    await app.channels.publish('undefined:by-anybody', 'said', 'hi');

    expect(await read('joins_total')).toEqual({ 'chat:{room} new': 2 });
    expect(await read('publications_total')).toEqual({ 'chat:{room}': 1, other: 1 });
    expect(await read('deliveries_total')).toEqual({ 'chat:{room}': 2 });
    expect([await read('subscriptions'), await read('channels')]).toEqual([{ '': 2 }, { '': 1 }]);
  });

  it('has the round trip of an ack as a client has measured it', async () => {
    const { app, read } = await start();
    const client = new ChannelsClient(app.url('/ws'), { WebSocket });
    onTestFinished(() => client.close());

    await client.send('order', 1);
    await client.send('order', 2);

    expect(await read('ack_round_trip_seconds')).toMatchObject({ _count: 1 });
    expect((await read('ack_round_trip_seconds'))['_sum']).toBeGreaterThan(0);
  });

  it('times how long the broker takes to accept a publication', async () => {
    const { app, read } = await start();

    await app.channels.publish('chat:lobby', 'said', 'hi');

    expect(await read('publish_duration_seconds')).toMatchObject({ _count: 1 });
  });

  it('times what a turn of the event loop adds', async () => {
    const { app, read } = await start();
    const client = await app.connect('/ws');
    await client.request('echo', 'hello', { id: 1 });

    expect((await read('flush_duration_seconds'))['_count']).toBeGreaterThan(0);
  });

  it('walks over the node once for all metrics that are read together', async () => {
    const registry = new Registry();
    const metrics = new ChannelsMetrics({ registry, process: false });
    const sizes = vi.fn(() => ({}));
    const connections = vi.fn(() => [].values());
    metrics.started({
      id: 'node',
      get connections() {
        return connections();
      },
      sizes,
      patternOf: () => undefined,
    });

    await registry.metrics();
    await new Promise((resolve) => setImmediate(resolve));
    await registry.metrics();

    // Once for those that are open, and once for what they have sent.
    expect([sizes.mock.calls.length, connections.mock.calls.length]).toEqual([2, 4]);
  });

  it('has a broker that is up until it says otherwise', async () => {
    const { read } = await start();

    expect(await read('broker_up')).toEqual({ '': 1 });
  });

  it('tells that the broker is away, and that it is back', async () => {
    const registry = new Registry();
    const metrics = new ChannelsMetrics({ registry, process: false });
    const isUp = async (): Promise<unknown> =>
      (await (registry.getSingleMetric('channels_broker_up') as Readable).get()).values[0]?.value;

    metrics.brokerChanged('away');
    const away = await isUp();
    metrics.brokerChanged('ready');

    expect([away, await isUp()]).toEqual([0, 1]);
  });

  it('leaves the figures of the process as they are where a registry has them', () => {
    const registry = new Registry();
    void new ChannelsMetrics({ registry });
    const count = registry.getMetricsAsArray().length;

    registry.removeSingleMetric('channels_connections');
    for (const { name } of registry.getMetricsAsArray())
      if (name.startsWith('channels_')) registry.removeSingleMetric(name);
    void new ChannelsMetrics({ registry });

    expect(registry.getSingleMetric('process_cpu_user_seconds_total')).toBeDefined();
    expect(registry.getMetricsAsArray()).toHaveLength(count);
  });
});

describe('the table of metrics in docs/operations.md', () => {
  it('names each metric with its labels, and none that there is not', () => {
    const registry = new Registry();
    void new ChannelsMetrics({ registry, process: false });
    const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(channels_\w+)` *\|([^|]*)\|/gm)];

    const documented = rows.map(([, name, labels]) => [
      name,
      [...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label),
    ]);
    const registered = registry
      .getMetricsAsArray()
      .map((metric) => [
        metric.name,
        [...(metric as unknown as { labelNames: readonly string[] }).labelNames],
      ]);

    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(registered));
  });
});

describe('docs/grafana-dashboard.json', () => {
  it('draws each metric, by labels that it has, and none that there is not', () => {
    const registry = new Registry();
    void new ChannelsMetrics({ registry, process: false });
    const { panels } = JSON.parse(readFileSync(join(ROOT, 'docs/grafana-dashboard.json'), 'utf8')) as {
      readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
    };
    const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

    const drawn = exprs.map((expr) => /channels_\w+/.exec(expr)?.[0].replace(/_bucket$/, ''));
    const labels = exprs.map((expr) => /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? []);

    expect([...new Set(drawn)].toSorted()).toEqual(
      registry
        .getMetricsAsArray()
        .map(({ name }) => name)
        .toSorted(),
    );
    const unknown = drawn.flatMap((name, at) => {
      const { labelNames } = registry.getSingleMetric(name as string) as unknown as {
        labelNames: readonly string[];
      };
      const known = new Set([...labelNames, 'instance', 'le']);
      return (labels[at] ?? []).filter((label) => !known.has(label)).map((label) => `${exprs[at]}: ${label}`);
    });
    expect(unknown).toEqual([]);
  });
});
