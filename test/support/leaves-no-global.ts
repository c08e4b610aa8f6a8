import { afterAll } from 'vitest';

/** What a page has, and what tests put something else in place of. */
const NAMES = [
  ...['addEventListener', 'removeEventListener', 'document', 'window', 'localStorage', 'WebSocket'],
  ...['crypto', 'fetch', 'performance', 'Promise', 'queueMicrotask', 'setInterval', 'setTimeout'],
];

const before = NAMES.map((name): unknown => Reflect.get(globalThis, name));

// The next file has the same globals, and would fail for this one.
afterAll(() => {
  const changed = NAMES.filter((name, at) => Reflect.get(globalThis, name) !== before[at]);
  if (changed.length > 0) throw new Error(`This file leaves changed behind: ${changed.join(', ')}.`);
});
