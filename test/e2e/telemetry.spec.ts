import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { TestClient } from 'nestjs-channels/testing';
import { expect, it, onTestFinished } from 'vitest';
import { startTelemetry } from '../../sample/06-opentelemetry/telemetry.js';
import { AuditRig } from '../support/audit-rig.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class Gateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

/** An SDK that keeps what it is given, and ends with the test. */
function startSdk() {
  const spans = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter });
  const meters = new MeterProvider({ readers: [reader] });
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  onTestFinished(async () => {
    trace.disable();
    metrics.disable();
    await Promise.all([tracers.shutdown(), meters.shutdown()]);
  });
  /** The values of one metric, by its attributes. */
  const read = async (name: string): Promise<unknown[]> => {
    const { resourceMetrics } = await reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const points = all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    return points.map(({ attributes, value }) => ({ ...attributes, value }));
  };
  return { spans: () => spans.getFinishedSpans(), read };
}

it('hands connections, refusals and handlers to OpenTelemetry, as sample/06-opentelemetry does', async () => {
  const { spans, read } = startSdk();
  onTestFinished(startTelemetry());
  const observer = new RecordingObserver();
  const app = await startApp({ providers: [Gateway], channels: { observers: [observer] } });
  const [ada, grace] = [await app.connect('/ws'), await app.connect('/ws')];

  await ada.request('echo', 'hi');
  await grace.close(4_999);
  await observer.until(({ closes }) => closes.length === 1);
  await expect(TestClient.connect(app.url('/nowhere'), { protocols: [] })).rejects.toThrow('404');

  expect(await read('channels.connections')).toEqual([{ 'url.path': '/ws', value: 1 }]);
  expect(await read('channels.closes')).toEqual([{ 'url.path': '/ws', code: 'other', value: 1 }]);
  expect(await read('channels.refusals')).toEqual([{ reason: 'request', value: 1 }]);
  expect(
    spans().map(({ name, attributes }) => [name, attributes['url.path'] ?? attributes['reason']]),
  ).toEqual([
    ['channels handshake', '/ws'],
    ['channels handshake', '/ws'],
    ['channels echo', '/ws'],
    ['channels handshake', 'request'],
  ]);
});

it('hands nothing over once it has ended', async () => {
  const { spans, read } = startSdk();
  const stop = startTelemetry();
  stop();
  const app = await startApp({ providers: [Gateway] });

  await (await app.connect('/ws')).request('echo', 'hi');

  expect([spans(), await read('channels.connections')]).toEqual([[], []]);
});

it('counts gaps, and what slow readers did not get', async () => {
  const { read } = startSdk();
  onTestFinished(startTelemetry());

  const rig = await AuditRig.start();
  const client = await rig.enter();
  await client.subscribe('feed:1');

  rig.engine.hub.unsure(['feed:1']);
  await rig.flood('ticker:1');

  expect(await read('channels.gaps')).toEqual([{ value: 1 }]);
  // A field of another name would be added as what is no number.
  expect(await read('channels.dropped')).toEqual([{ value: expect.toSatisfy((value: number) => value > 0) }]);
});
