import type { ChannelsModuleOptions, RefusalReason } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { expect } from 'vitest';
import type { CLOSE_CODES } from '../../lib/protocol/index.js';
import type { AuditRig } from './audit-rig.js';
import { clientFrame, Opcode, RawSocket } from './raw-socket.js';

/** One way in which something ends, is refused or lost. */
interface Case {
  readonly channels?: ChannelsModuleOptions;
  readonly cause: (rig: AuditRig) => Promise<unknown>;
  /** What is told for it, once. */
  readonly told: string;
}

const CLIENT_ID = 'a'.repeat(22);

/** What a peer sends that leaves; proxies and other clients do. */
const left = (code: number): Case => ({
  cause: async (rig) => (await rig.enter()).close(code),
  told: `closed ${code}`,
});

const refusedWith = (path: string, told: string, protocols?: string[]): Case => ({
  cause: (rig) => rig.knock(path, protocols && { protocols }),
  told,
});

/** Each code of docs/protocol.md, section 8, as it comes about; those of a handshake are refusals. */
const CLOSES: Readonly<Record<Exclude<keyof typeof CLOSE_CODES, 'TlsFailure'>, Case>> = {
  Normal: left(1000),
  GoingAway: left(1001),
  ProtocolError: left(1002),
  UnsupportedData: left(1003),
  NoStatus: { cause: async (rig) => (await rig.enter()).close(), told: 'closed 1005' },
  Abnormal: { cause: async (rig) => (await rig.enter()).terminate(), told: 'closed 1006' },
  InvalidPayload: { cause: (rig) => rig.raw(clientFrame(Buffer.of(0xff))), told: 'closed 1007' },
  PolicyViolation: {
    channels: { maxFragments: 1 },
    cause: (rig) =>
      rig.raw(
        clientFrame('a', { fin: false }),
        ...[1, 2].map(() => clientFrame('b', { fin: false, opcode: Opcode.Continuation })),
      ),
    told: 'closed 1008',
  },
  MessageTooBig: {
    channels: { maxMessageBytes: 10 },
    cause: (rig) => rig.raw(clientFrame('x'.repeat(11))),
    told: 'closed 1009',
  },
  MandatoryExtension: left(1010),
  InternalError: {
    cause: async (rig) => (await rig.app.connect('/ws?breaks')).closed,
    told: 'closed 1011',
  },
  ServiceRestart: {
    cause: async (rig) => [await rig.enter(), await rig.app.nest.close()],
    told: 'closed 1012',
  },
  TryAgainLater: left(1013),
  BadGateway: left(1014),
  TokenExpired: {
    cause: async (rig) => {
      await rig.enter(`exp=${Math.ceil(rig.clock.wallNow() / 1_000) + 1}`);
      await rig.tickUntil(rig.ended());
    },
    told: 'closed 4401',
  },
  HeartbeatMissed: {
    channels: { heartbeatIntervalMs: 1_000, heartbeatTimeoutMs: 2_000 },
    cause: async (rig) => {
      await rig.enter('', { autoPong: false });
      await rig.tickUntil(rig.ended());
    },
    told: 'closed 4408',
  },
  SlowConsumer: {
    channels: { maxOutboxBytes: 100_000 },
    cause: (rig) => rig.flood('feed:1'),
    told: 'closed 4413',
  },
  TooManyRequests: {
    channels: { messagesPerSecond: 1, messageBurst: 2, maxRefusals: 1, maxChannelsPerConnection: 1 },
    cause: async (rig) => {
      const client = await rig.enter();
      for (let at = 0; at < 1_000; at++) client.send({ event: 'whoami', id: at });
      await rig.tickUntil(rig.ended());
    },
    told: 'closed 4429',
  },
  BadFrame: {
    cause: async (rig) => {
      const client = await rig.enter();
      for (let at = 0; at < 10; at++) client.sendRaw('no JSON');
    },
    told: 'closed 4500',
  },
  Unauthorized: {
    cause: (rig) => rig.knock('/ws?status=401', {}),
    told: 'refused guard',
  },
  Forbidden: {
    cause: async (rig) => [await rig.enter(), await rig.app.channels.revoke({ principal: 'ada' })],
    told: 'closed 4503',
  },
  NotFound: { cause: (rig) => rig.knock('/nowhere', {}), told: 'refused request' },
  UnsupportedProtocol: refusedWith('/ws', 'refused version', ['nestjs-channels.v9.json']),
  Replaced: {
    cause: async (rig) => {
      const clients: readonly TestClient[] = [await rig.enter(), await rig.enter()];
      for (const client of clients) await client.hello({ clientId: CLIENT_ID });
    },
    told: 'closed 4509',
  },
  IdleTimeout: {
    channels: { idleTimeoutMs: 5_000, heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 },
    cause: async (rig) => [await rig.enter(), await rig.tickUntil(rig.ended())],
    told: 'closed 4510',
  },
};

/** Each reason of a refusal, as it comes about. */
const REFUSALS: Readonly<Record<RefusalReason, Omit<Case, 'told'>>> = {
  request: refusedWith('/nowhere', ''),
  version: CLOSES.UnsupportedProtocol,
  origin: { cause: (rig) => rig.knock('/ws', { protocols: [], origin: 'https://elsewhere.example' }) },
  guard: refusedWith('/ws?status=403', ''),
  failure: refusedWith('/ws?fails', ''),
  revoked: {
    cause: async (rig) => {
      await rig.app.channels.revoke({ principal: 'ada' });
      await rig.knock('/ws?iat=1');
    },
  },
  expired: refusedWith('/ws?exp=1', ''),
  not_ready: {
    cause: async (rig) => {
      const refused = rig.knock('/ws?holds');
      await expect.poll(() => rig.engine.sizes()['upgrades']).toBe(1);
      await rig.app.nest.close();
      await refused;
    },
  },
  pending: {
    channels: { maxPendingUpgrades: 1 },
    cause: (rig) => Promise.race([1, 2].map(() => rig.knock('/ws?holds'))),
  },
  handshake_rate: {
    channels: { handshakesPerSecond: 1 },
    cause: async (rig) => [await rig.enter(), await rig.knock('/ws')],
  },
  connections: {
    channels: { maxConnections: 1 },
    cause: async (rig) => [await rig.enter(), await rig.knock('/ws')],
  },
  principal_connections: {
    channels: { maxConnectionsPerPrincipal: 1 },
    cause: async (rig) => [await rig.enter(), await rig.knock('/ws')],
  },
  address_connections: {
    channels: { maxConnectionsPerAddress: 1 },
    cause: async (rig) => [await rig.enter(), await rig.knock('/ws')],
  },
  address_rate: {
    channels: { handshakesPerSecondPerAddress: 1 },
    cause: async (rig) => [await rig.enter(), await rig.knock('/ws')],
  },
  slow_request: {
    channels: { heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 },
    cause: async (rig) => {
      const peer = await RawSocket.connect(rig.app.port);
      peer.write('GET /ws HTTP/1.1\r\n');
      await rig.tickUntil(peer.closed);
    },
  },
  silent: {
    channels: { idleTimeoutMs: 5_000 },
    cause: async (rig) => {
      const peer = await RawSocket.connect(rig.app.port);
      await rig.tickUntil(peer.closed);
    },
  },
};

const LOSSES: Readonly<Record<string, Case>> = {
  gap: {
    cause: async (rig) => {
      await (await rig.enter()).subscribe('feed:1');
      rig.engine.hub.unsure(['feed:1']);
    },
    told: 'gap feed:{name}',
  },
  dropped: { cause: (rig) => rig.flood('ticker:1'), told: 'dropped ticker:{name}' },
};

/** All of them: a new code or reason without a case does not compile. */
export const CASES: readonly (Case & { readonly name: string })[] = [
  ...Object.entries(CLOSES).map(([name, one]) => ({ ...one, name: `the code ${name}` })),
  ...Object.entries(REFUSALS).map(([reason, one]) => ({ ...one, told: `refused ${reason}`, name: reason })),
  ...Object.entries(LOSSES).map(([name, one]) => ({ ...one, name })),
];
