import type { Failure, LogFact, ObservedConnection, Observer, Refusal } from 'nestjs-channels';
import { expect } from 'vitest';

/** Of whom the facts are. */
export const PEER: ObservedConnection = {
  id: 'c1',
  principal: 'ada',
  address: '192.0.2.1',
  path: '/ws',
  subprotocol: 'nestjs-channels.v1.json',
  ours: true,
  handshakeMs: 3.4,
  ageMs: 1_999.6,
  traffic: { messagesReceived: 1, messagesSent: 2, bytesReceived: 30, bytesSent: 40 },
};
const WHO = { principal: 'ada', address: '192.0.2.1' };
const END = {
  connectionId: 'c1',
  path: '/ws',
  durationMs: 2_000,
  ...WHO,
  subprotocol: 'nestjs-channels.v1.json',
  ...PEER.traffic,
};
const REFUSAL: Refusal = {
  reason: 'pending',
  status: 503,
  message: 'busy',
  url: '/ws',
  address: '192.0.2.1',
  durationMs: 12.4,
  advice: 'maxPendingUpgrades',
};
const FAILURE: Failure = { where: 'chat.send', error: new Error('no room'), correlationId: 'k1' };

/** How a drain went. */
const REPORT = {
  clients: 5,
  left: 4,
  stayed: 1,
  late: 1,
  durationMs: 4_000,
  peakPerSecond: 2,
  perSecond: 3,
  windowMs: 4_000,
};

/** What causes each fact, and all that its line says. */
const FACTS: Readonly<Record<LogFact, readonly [(observer: Required<Observer>) => void, object]>> = {
  opened: [
    ({ opened }) => opened(PEER),
    { connectionId: 'c1', path: '/ws', ...WHO, subprotocol: 'nestjs-channels.v1.json', handshakeMs: 3 },
  ],
  closed: [
    ({ closed }) => closed(PEER, 4_503, 'moved out'),
    { ...END, code: 4_503, codeName: 'forbidden', reason: 'moved out' },
  ],
  reaped: [
    ({ closed }) => closed(PEER, 4_408, 'silent'),
    { ...END, code: 4_408, codeName: 'heartbeat_missed', reason: 'silent' },
  ],
  shed: [
    ({ closed }) => closed(PEER, 4_413, 'slow'),
    { ...END, code: 4_413, codeName: 'slow_consumer', reason: 'slow' },
  ],
  refused: [
    ({ refused }) => refused(REFUSAL),
    {
      reason: 'pending',
      status: 503,
      answer: 'busy',
      url: '/ws',
      address: '192.0.2.1',
      durationMs: 12,
      advice: 'maxPendingUpgrades',
    },
  ],
  gap: [
    ({ gap }) => gap(PEER, 'chat:1'),
    { connectionId: 'c1', channel: 'chat:1', pattern: 'chat:{room}', path: '/ws', ...WHO },
  ],
  dropped: [
    ({ dropped }) => dropped(PEER, 'chat:1', 7),
    { connectionId: 'c1', channel: 'chat:1', count: 7, pattern: 'chat:{room}', path: '/ws', ...WHO },
  ],
  faulted: [
    ({ faulted }) => faulted(PEER, 'unknown_event', 'nope'),
    { kind: 'unknown_event', unknownEvent: 'nope', connectionId: 'c1', path: '/ws', ...WHO },
  ],
  failed: [
    ({ failed }) => failed(FAILURE),
    { where: 'chat.send', error: 'no room', correlationId: 'k1', stack: expect.stringMatching(/^ +at /) },
  ],
  evicted: [
    ({ evicted }) => evicted(3),
    { count: 3, advice: expect.stringContaining('maxDedupBytes') as unknown },
  ],
  brokerReady: [({ brokerChanged }) => brokerChanged('ready', 'back'), { state: 'ready', reason: 'back' }],
  brokerAway: [({ brokerChanged }) => brokerChanged('deaf', 'mute'), { state: 'deaf', reason: 'mute' }],
  draining: [({ draining }) => draining({ clients: 5, windowMs: 4_000 }), { clients: 5, windowMs: 4_000 }],
  drained: [({ drained }) => drained(REPORT), { ...REPORT }],
  warned: [({ warned }) => warned('too hot'), { warning: 'too hot' }],
};
/** The facts in the order in which they are told of. */
export const EACH = (Object.keys(FACTS) as LogFact[]).map((fact) => {
  const [cause, fields] = FACTS[fact];
  return { fact, cause, fields };
});
