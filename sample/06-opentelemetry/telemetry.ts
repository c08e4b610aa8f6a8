import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { metrics, SpanKind, trace, type Attributes } from '@opentelemetry/api';
import type { ObservedConnection, Refusal } from 'nestjs-channels';
import { closeCode } from 'nestjs-channels/protocol';

/** What is told of these facts: the arguments of the methods of `Observer`, by name. */
interface Facts {
  opened: { connection: ObservedConnection };
  closed: { connection: ObservedConnection; code: number };
  refused: { refusal: Refusal };
  handled: { connection: ObservedConnection; event: string; ms: number };
  gap: { channel: string };
  dropped: { channel: string; count: number };
}

/**
 * Makes spans and metrics of what the nodes of this process tell. Call it after the SDK has started and before the
 * application is made; what it returns ends it.
 */
export function startTelemetry(): () => void {
  const meter = metrics.getMeter('nestjs-channels');
  const connections = meter.createUpDownCounter('channels.connections');
  const closes = meter.createCounter('channels.closes');
  const refusals = meter.createCounter('channels.refusals');
  const gaps = meter.createCounter('channels.gaps');
  const dropped = meter.createCounter('channels.dropped');

  const stops = [
    on('opened', ({ connection: { path, handshakeMs } }) => {
      connections.add(1, { 'url.path': path });
      addSpan('channels handshake', handshakeMs, { 'url.path': path });
    }),
    on('refused', ({ refusal: { reason, status, durationMs } }) => {
      refusals.add(1, { reason });
      addSpan('channels handshake', durationMs, { reason, 'http.response.status_code': status });
    }),
    on('closed', ({ connection: { path }, code }) => {
      connections.add(-1, { 'url.path': path });
      // A peer may close with any of thousands.
      closes.add(1, { 'url.path': path, code: closeCode(code) ? code : 'other' });
    }),
    on('handled', ({ connection: { id, path }, event, ms }) => {
      addSpan(`channels ${event}`, ms, { 'url.path': path, 'channels.connection.id': id });
    }),
    on('gap', () => gaps.add(1)),
    on('dropped', ({ count }) => dropped.add(count)),
  ];
  return () => stops.forEach((stop) => stop());
}

/** The facts are told when something has ended. */
function addSpan(name: string, ms: number, attributes: Attributes): void {
  const startTime = Date.now() - ms;
  const tracer = trace.getTracer('nestjs-channels');
  tracer.startSpan(name, { kind: SpanKind.SERVER, startTime, attributes }).end();
}

function on<Fact extends keyof Facts>(fact: Fact, listener: (told: Facts[Fact]) => void): () => void {
  const name = `nestjs-channels:${fact}`;
  const listen = (message: unknown): void => listener(message as Facts[Fact]);
  subscribe(name, listen);
  return () => void unsubscribe(name, listen);
}
