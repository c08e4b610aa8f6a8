import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LoadResult } from '../../lib/cli/load-result.js';
import { LoadRun } from '../../lib/cli/load-run.js';
import { loadTable } from '../../lib/cli/load-table.js';
import { optionsOf } from './load-fixtures.js';

/** What a terminal obeys: it clears the screen. */
const CLEAR = '\u001b[2J';

const LONG = 'x'.repeat(10_000);

const CODES = [CLEAR, LONG, 'timeout'];

interface Asked {
  readonly event: string;
  readonly id?: number | string;
  readonly data?: { readonly channel?: string };
}

/** Joins `room:room-1` and refuses other channels, fails every message, and puts texts where numbers belong. */
async function hostileServer(): Promise<string> {
  let failures = 0;
  const errorOf = () => ({ code: CODES[failures++ % CODES.length], message: CLEAR, retryable: false });
  const answer = (socket: WebSocket, { event, id, data: { channel } = {} }: Asked): void => {
    const send = (frame: object): void => socket.send(JSON.stringify(frame));
    if (event === '$hello') send({ ack: id, data: { connectionId: CLEAR, principal: CLEAR } });
    else if (event !== '$subscribe' || channel !== 'room:room-1') send({ ack: id, error: errorOf() });
    else {
      send({ ack: id, data: { channel } });
      for (const dropped of [CLEAR, LONG, 1.5, -1, 2]) send({ event: 'said', channel, data: CLEAR, dropped });
    }
  };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('message', (text) => answer(socket, JSON.parse(String(text)) as Asked));
  });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A short run of two connections in two rooms, which sends some messages. */
async function runAgainst(url: string): Promise<LoadResult> {
  const args = ['--connections', '2', '--rooms', '2', '--channel', 'room:{room}', '--event', 'say'];
  const options = { ...optionsOf(...args, '--rate', '20', '--duration', '0.5'), url };
  return new LoadRun(options, new AbortController().signal).run();
}

// Codes went to the terminal and into the file as they came.
it('shows nothing of a hostile server that a terminal obeys, or that has no bound', async () => {
  const result = await runAgainst(await hostileServer());

  const told = loadTable(result) + JSON.stringify(result, undefined, 2);
  expect(result.messages.failedByCode).toMatchObject({
    other: expect.any(Number),
    timeout: expect.any(Number),
  });
  expect(told).toMatch(/^[\n -~×]+$/);
  expect(told.length).toBeLessThan(6_000);
});

it('adds up of what was dropped the numbers that there can be', async () => {
  const { publications } = await runAgainst(await hostileServer());

  expect(publications.droppedCount).toBe(2);
});
