import { IncomingMessage, type Server } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { MAX_UPGRADES_PER_TURN, UpgradeQueue } from '../../../lib/transport/ws/upgrade-queue.js';
import { guardedGateway } from '../../support/guarded-gateway.js';
import { recordRefusals } from '../../support/refusals.js';
import { startApp } from '../../support/start-app.js';

/** A clock whose turns a test ends. */
class Turns {
  #callbacks: (() => void)[] = [];

  afterTurn(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  /** How many were called. */
  end(): number {
    const callbacks = this.#callbacks.splice(0);
    for (const callback of callbacks) callback();
    return callbacks.length;
  }
}

it('answers so many in a turn, the others in those that follow, in their order', () => {
  const turns = new Turns();
  const queue = new UpgradeQueue(turns);
  const answered: number[] = [];
  const told: number[] = [];

  for (let at = 0; at < 2 * MAX_UPGRADES_PER_TURN + 1; at += 1) queue.add(() => answered.push(at));
  told.push(answered.length);
  turns.end();
  // Who comes now waits behind those that came before.
  queue.add(() => answered.push(99));
  told.push(answered.length);
  turns.end();
  told.push(answered.length);
  const rest = [turns.end(), turns.end()];

  expect(told).toEqual([MAX_UPGRADES_PER_TURN, 2 * MAX_UPGRADES_PER_TURN, 2 * MAX_UPGRADES_PER_TURN + 2]);
  expect(answered.at(-1)).toBe(99);
  expect(answered.slice(0, -1)).toEqual(answered.slice(0, -1).toSorted((a, b) => a - b));
  // Nobody waits: no turn is asked for.
  expect([rest, queue.size]).toEqual([[1, 0], 0]);
});

/** An upgrade as the HTTP server tells of it. */
function upgrade(server: Server): void {
  const socket = new Socket();
  const request = Object.assign(new IncomingMessage(socket), {
    method: 'GET',
    url: '/ws',
    headers: {
      ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  server.emit('upgrade', request, socket, Buffer.alloc(0));
}

it('lets maxPendingUpgrades wait for a turn, and refuses one more', async () => {
  const recorder = recordRefusals();
  const gateway = guardedGateway(() => new Promise<boolean>(() => undefined));
  const maxPendingUpgrades = MAX_UPGRADES_PER_TURN + 1;
  const channels = { maxPendingUpgrades, observers: [recorder.observer] };
  const app = await startApp({ providers: [gateway], channels });
  const server = app.nest.getHttpServer() as Server;

  for (let at = 0; at < MAX_UPGRADES_PER_TURN + maxPendingUpgrades; at += 1) upgrade(server);
  const atTheLimit = recorder.refusals.length;
  upgrade(server);

  expect(atTheLimit).toBe(0);
  expect(recorder.refusals).toMatchObject([{ reason: 'pending', status: 503 }]);
});
