import { exchange, type Scenario } from './scenario.js';

const global = (name: string, event: string, data?: unknown): Scenario =>
  exchange('/globals', name, { event, data });

/** Row 7: compared with the same major, of which 12 alone applies to messages what is global. */
export const GLOBALS = [
  global('a global interceptor', 'echo', { a: 1 }),
  global('a global guard that says no', 'echo', { barred: true }),
  global('a global pipe that accepts', 'draft', { text: 'x', item: { count: 1 } }),
  global('a global pipe that refuses', 'draft', { text: 5 }),
  global('a store that a global interceptor sets up', 'store'),
];
