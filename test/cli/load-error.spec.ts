import { expect, it } from 'vitest';
import type { ClientState } from '../../lib/client/index.js';
import { Counts } from '../../lib/cli/counts.js';
import { noChannel, noConnection } from '../../lib/cli/load-error.js';

const URL = 'ws://127.0.0.1:3000/ws';

const waiting = (state: Pick<ClientState, 'reason' | 'code'>): ClientState => ({
  name: 'waiting',
  failures: 1,
  delayMs: 100,
  ordered: false,
  ...state,
});

it.each([
  ['ECONNREFUSED', 'nobody listens there (ECONNREFUSED): start the server, or correct the port'],
  ['ENOTFOUND', 'there is no such host'],
  ['Unexpected server response: 403', 'Unexpected server response: 403'],
])('tells of %s', (cause, text) => {
  const causes = new Counts();
  causes.add(cause);

  const { message } = noConnection(URL, waiting({ reason: 'connect_failed', code: 1006 }), causes);

  expect(message).toContain(`No connection to ${URL}: ${text}`);
});

it.each([
  [
    { reason: 'closed_by_server', code: 4504 } as const,
    'closed with 4504 not_found: no gateway has this path.',
  ],
  [{ reason: 'closed_by_server', code: 4501 } as const, 'the handshake guard said no; give a --token.'],
  [{ reason: 'closed_by_server', code: 4999 } as const, 'closed with 4999.'],
  [{ reason: 'hello_timeout' } as const, 'it does not answer $hello: is it a gateway of nestjs-channels?'],
  [{ reason: 'connect_failed' } as const, 'it does not answer.'],
  [{ reason: 'connect_failed', code: 1006 } as const, 'it does not answer.'],
])('tells of %j', (state, text) => {
  expect(noConnection(URL, waiting(state), new Counts()).message).toContain(text);
});

it.each([
  [
    'unknown_channel',
    'The first connection cannot join chat:room-1: unknown_channel; say which channels there are, by',
  ],
  ['forbidden', 'The first connection cannot join chat:room-1: forbidden; give a --token that may join it.'],
  ['internal', 'The first connection cannot join chat:room-1: internal.'],
])('tells of a channel that is refused with %s', (code, text) => {
  const refusals = new Counts();
  refusals.add(code);

  expect(noChannel(['chat:room-1', 'chat:room-2'], refusals).message).toContain(text);
});
