import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { concat, defer, EMPTY, from, map, NEVER, of, throwError, type Observable } from 'rxjs';
import { Fenced, turns } from './fenced.js';

class Point {
  readonly #hidden = 3;

  constructor(
    readonly x: number,
    readonly y?: number,
  ) {}

  get sum(): number {
    return this.x + this.#hidden;
  }
}

class Money {
  readonly cents = 5;

  toJSON(): string {
    return '0.05 €';
  }
}

function* generate(): Generator<number> {
  yield 1;
  yield 2;
}

async function* generateLater(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

/** Its items arrive in turns of their own. */
function later(...items: unknown[]): Observable<unknown> {
  async function* steps(): AsyncGenerator<unknown> {
    for (const item of items) {
      await turns(2);
      yield item;
    }
  }
  return from(steps());
}

const DATE = new Date('2026-02-03T04:05:06.789Z');

/** What a handler returns, by a name that the client sends. */
const RESULTS: Readonly<Record<string, () => unknown>> = {
  'event and data': () => ({ event: 'reply', data: { a: 1 } }),
  'event without data': () => ({ event: 'reply' }),
  'event with undefined data': () => ({ event: 'reply', data: undefined }),
  'event with null data': () => ({ event: 'reply', data: null }),
  'data before event': () => ({ data: 1, event: 'reply' }),
  'event with more members': () => ({ event: 'reply', data: 1, more: { a: [2] }, id: 7 }),
  'event that is no string': () => ({ event: 5, data: 1 }),
  'an ack of its own': () => ({ ack: 1, data: 2 }),
  'a promise of an event': () => Promise.resolve({ event: 'reply', data: 1 }),
  'a promise of a promise': async () => turns(1).then(() => Promise.resolve('deep')),
  // oxlint-disable-next-line unicorn/no-thenable -- that is what it is
  'a thenable': () => ({ then: (done: (value: unknown) => void) => done('then') }),
  'a number': () => 5,
  'a fraction': () => 0.1 + 0.2,
  'not a number': () => Number.NaN,
  'minus zero': () => -0,
  zero: () => 0,
  true: () => true,
  false: () => false,
  text: () => 'text',
  'an empty text': () => '',
  'odd text': () => 'a "quoted" \\ \n \u2028 \ud800 🎉 é',
  'text that is JSON': () => '{"event":"reply"}',
  'an array': () => [1, null, undefined, 'two', { three: 3 }],
  'an empty array': () => [],
  'an empty object': () => ({}),
  'a nested object': () => ({ a: { b: [{ c: { d: null } }] }, e: undefined }),
  'a record with an id': () => ({ id: 1, event: 'x', data: 2 }),
  'a Buffer': () => Buffer.from('bytes'),
  'an event with a Buffer': () => ({ event: 'reply', data: Buffer.from([0, 255]) }),
  'a Uint8Array': () => new Uint8Array([1, 2]),
  'an ArrayBuffer': () => new ArrayBuffer(2),
  'a Date': () => DATE,
  'an event with a Date': () => ({ event: 'reply', data: { at: DATE } }),
  'an invalid Date': () => new Date(Number.NaN),
  'a class instance': () => new Point(1),
  'an event with a class instance': () => ({ event: 'reply', data: new Point(1, 2) }),
  'an object with toJSON': () => new Money(),
  'a Map and a Set': () => ({ map: new Map([[1, 2]]), set: new Set([1]) }),
  'an Error as a value': () => new Error('only a value'),
  'a WsException as a value': () => new WsException('only a value'),
  'a boxed text': () => new String('boxed'),
  'a generator': () => generate(),
  'an async generator': () => generateLater(),
  undefined: () => undefined,
  null: () => null,
  'a promise of undefined': () => Promise.resolve(undefined),
  'a promise of null': () => Promise.resolve(null),
  'several events': () => of({ event: 'item', data: 1 }, { event: 'item', data: 2 }),
  'several bare values': () => from([1, 'two', { three: 3 }]),
  'a promise of an Observable': () => Promise.resolve(of({ event: 'item', data: 1 }, 2)),
  'an Observable from a promise': () => from(Promise.resolve('promised')),
  'an Observable in later turns': () => later({ event: 'item', data: 1 }, 2, [3]),
  'an Observable with empty items': () => of(1, undefined, null, 2),
  'an Observable of empty values': () => of(0, '', false),
  'an Observable that maps': () => from([1, 2, 3]).pipe(map((data) => ({ event: 'mapped', data }))),
  'an Observable that waits': () => defer(() => turns(3).then(() => ({ event: 'deferred', data: 1 }))),
  'an Observable of arrays': () => of([1, 2], []),
  'an empty Observable': () => EMPTY,
  'an Observable that never ends': () => concat(of('first', 'second'), NEVER),
  'an Observable that fails at once': () => throwError(() => new WsException('at once')),
  'an Observable that fails half-way': () =>
    concat(
      of({ event: 'item', data: 1 }, 2),
      throwError(() => new WsException('half-way')),
    ),
  'an Observable that fails later': () =>
    concat(
      later(1),
      throwError(() => new Error('secret')),
    ),
};

@WebSocketGateway({ path: '/results' })
export class ResultsGateway extends Fenced {
  @SubscribeMessage('result')
  result(@MessageBody() kind: string): unknown {
    const result = RESULTS[kind];
    if (result === undefined) throw new WsException(`There is no result "${kind}".`);
    return result();
  }

  @SubscribeMessage('result.async')
  async resultAsync(@MessageBody() kind: string): Promise<unknown> {
    await turns(1);
    return this.result(kind);
  }
}
