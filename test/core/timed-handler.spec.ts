import { describe, expect, it } from 'vitest';
import type { Handler, Message } from '../../lib/core/handler.interface.js';
import { Observers } from '../../lib/core/observers.js';
import { TimedHandler } from '../../lib/core/timed-handler.js';

/** A message of a connection whose clock goes on by one at each look. */
function aMessage(): { readonly message: Message; readonly looks: () => number } {
  let looks = 0;
  const clock = { now: () => looks++ };
  const message = { connection: { engine: { clock } } } as unknown as Message;
  return { message, looks: () => looks };
}

const handler: Handler = { event: 'echo', acked: false, handle: () => 'answer' };

describe('TimedHandler', () => {
  it('does not look at the clock while nobody wants its time', () => {
    const { message, looks } = aMessage();

    const result = new TimedHandler(handler, new Observers([])).handle(message);

    expect([result, looks()]).toEqual(['answer', 0]);
  });

  it('tells its time from the moment on in which somebody wants it', () => {
    const { message } = aMessage();
    const told: [string, number][] = [];
    const observers = new Observers([]);
    const timed = new TimedHandler(handler, observers);
    timed.handle(message);

    observers.attach({ handled: (_connection, event, ms) => told.push([event, ms]) });
    timed.handle(message);

    expect(told).toEqual([['echo', 1]]);
  });
});
