import { expect, it, vi } from 'vitest';
import { ChannelsClient, type ChannelsClientOptions } from '../../lib/client/index.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeServer } from './fake-server.js';

const { WebSocket } = new FakeServer(new TestClock());

const make = (options: object, url = 'ws://fake'): ChannelsClient =>
  new ChannelsClient(url, { WebSocket, ...options } as ChannelsClientOptions);

const TIMES = ['connectTimeoutMs', 'helloTimeoutMs', 'minRetryDelayMs', 'maxRetryDelayMs', 'stableAfterMs'];
const COUNTS = ['maxRetries', 'maxQueue', 'maxQueueBytes', 'maxBuffered'];

it.each([...TIMES, ...COUNTS])('names %s when it is no number, with what was given', (name) => {
  for (const value of ['5', Number.NaN, -1, null]) {
    expect(() => make({ [name]: value })).toThrow(`${name} (${String(value)})`);
  }
});

it.each(TIMES)('refuses %s beyond what a timer can wait', (name) => {
  expect(() => make({ [name]: 2_147_483_648 })).toThrow(/must be a number from/);
});

it.each(['maxRetries', 'stableAfterMs'])('takes 0 for %s', (name) => {
  expect(() => make({ [name]: 0 })).not.toThrow();
});

it('takes undefined for the default', () => {
  expect(() => make({ maxQueue: undefined, server: undefined, token: undefined })).not.toThrow();
});

it.each(['Plain', 'nest', ''])('refuses server: %j', (server) => {
  expect(() => make({ server })).toThrow(/server/);
});

it('refuses a storage that is none, as localStorage itself', () => {
  expect(() => make({ storage: new Map() })).toThrow('storage ([object Map]) must be a QueueStorage');
});

it.each(['ftp://example.com', 'example.com', ''])('refuses the url %j', (url) => {
  expect(() => make({}, url)).toThrow(/url/);
});

it.each(['ws://a', 'wss://a', 'http://a', 'https://a', '/ws'])('takes the url %s', (url) => {
  expect(() => make({}, url)).not.toThrow();
});

it('says what to do where there is no WebSocket', () => {
  vi.stubGlobal('WebSocket', undefined);

  try {
    expect(() => make({ WebSocket: undefined })).toThrow(/no global WebSocket.*\{ WebSocket \}.*'ws'/);
  } finally {
    vi.unstubAllGlobals();
  }
});

it('says what to do where there is no source of secrets', () => {
  vi.stubGlobal('crypto', undefined);

  try {
    expect(() => make({})).toThrow(/\{ random \}/);
  } finally {
    vi.unstubAllGlobals();
  }
});

it('leaves the options of the caller alone', () => {
  const options = Object.freeze({ WebSocket, maxQueue: 5 });

  expect(() => new ChannelsClient('ws://fake', options)).not.toThrow();
});
