import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { Counts } from '../../lib/cli/counts.js';
import { SocketTable } from '../../lib/cli/socket-table.js';
import { freePort } from '../support/free-port.js';

/** Takes connections, and never says a word. */
async function silentServer(): Promise<number> {
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function connect(port: number) {
  const causes = new Counts();
  const table = new SocketTable(causes);
  const socket = new table.WebSocket(`ws://127.0.0.1:${port}`);
  // What a client needs of a socket has no addEventListener.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  const closed = new Promise<void>((resolve) => (socket.onclose = () => resolve()));
  return { causes, table, closed };
}

it('counts why a socket has failed', async () => {
  const { causes, table, closed } = connect(await freePort());
  const before = table.isEmpty;

  await closed;

  expect([before, table.isEmpty]).toEqual([false, true]);
  expect(causes.toJSON()).toEqual({ ECONNREFUSED: 1 });
});

it('ends what a peer leaves open', async () => {
  const { table, closed } = connect(await silentServer());

  table.terminate();
  await closed;

  expect(table.isEmpty).toBe(true);
});
