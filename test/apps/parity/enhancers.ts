import { exchange, type Scenario } from './scenario.js';

const enhanced = (name: string, event: string, data?: unknown, frames = 1): Scenario =>
  exchange('/enhancers', name, { event, data }, { frames });

const ENHANCERS = [
  enhanced('guards, interceptors and pipes in their order', 'order', { journal: [] }),
  enhanced('an Observable behind interceptors', 'order of an Observable', { journal: [] }, 2),
  enhanced('a guard with a dependency and metadata', 'roles', { role: 'admin' }),
  enhanced('a guard that answers with an Observable', 'guard.observable'),
  enhanced('an interceptor that wraps', 'wrapped', { a: 1 }),
  enhanced('an interceptor that wraps nothing', 'wrapped'),
  enhanced('interceptors that wrap and add', 'wrapped items', undefined, 4),
  enhanced('an interceptor that gathers', 'gathered'),
  enhanced('an interceptor that answers instead', 'answered'),
  enhanced('an interceptor that swallows', 'silenced', undefined, 0),
  enhanced('an interceptor that rescues', 'rescued'),
  enhanced('an interceptor that takes its time', 'delayed', 1),
  enhanced('an interceptor that changes the arguments', 'changed', 1),
  enhanced('what a pipe is told of each parameter', 'types', { from: 1 }),
  enhanced('data that is made an instance', 'transformed', { from: '3', more: 1 }),
  enhanced('pipes of parameters', 'parameters', { n: '5', list: '1,2' }),
  exchange(
    '/enhancers',
    'a guard with metadata that says no',
    { event: 'roles', data: { role: 'user' } },
    { row: 9, framesOn11: 0 },
  ),
];

const context = (name: string, message: object): Scenario => exchange('/contexts', name, message);

const CONTEXTS = [
  context('in a guard and an interceptor', { event: 'contexts', data: { a: 1 } }),
  context('without data', { event: 'contexts' }),
  context('of an odd pattern', { event: 'odd pattern ü "x"', data: 1 }),
  context('in a decorator of the application', { event: 'user', data: [1] }),
  context('a decorator with a property and a pipe', { event: 'user.name', data: { a: 1 } }),
  context('a decorator that takes its time', { event: 'later' }),
  exchange('/contexts', 'all its arguments', { event: 'args', data: 1 }, { row: 28 }),
  context('the client', { event: 'client' }),
];

export const ENHANCED = [...ENHANCERS, ...CONTEXTS];
