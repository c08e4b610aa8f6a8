import { describe, expect, it } from 'vitest';
import type { Failure, Observer } from '../../lib/core/observer.interface.js';
import { Observers } from '../../lib/core/observers.js';

describe('Observers', () => {
  it('reports a fact to those who want it', () => {
    const seen: string[] = [];
    const observers = new Observers([
      { published: (channel, event) => seen.push(`a ${channel} ${event}`) },
      {},
      { published: (channel, event) => seen.push(`b ${channel} ${event}`) },
    ]);

    observers.published('chat:1', 'message');
    observers.delivered('chat:1', 1);

    expect(seen).toEqual(['a chat:1 message', 'b chat:1 message']);
  });

  it('reports an observer that throws, and goes on with the others', () => {
    const failures: Failure[] = [];
    const seen: string[] = [];
    const broken: Observer = {
      published() {
        throw new Error('broken');
      },
    };
    const observers = new Observers([
      broken,
      { published: (channel) => seen.push(channel), failed: (failure) => failures.push(failure) },
    ]);

    observers.published('chat:1', 'message');

    expect(seen).toEqual(['chat:1']);
    expect(failures).toMatchObject([{ where: 'an observer', error: { message: 'broken' } }]);
  });

  it('survives an observer that throws at a failure', () => {
    const failures: Failure[] = [];
    const broken: Observer = {
      failed() {
        throw new Error('broken');
      },
    };

    new Observers([broken, { failed: (failure) => failures.push(failure) }]).failed({ where: 'x', error: 1 });

    expect(failures).toEqual([{ where: 'x', error: 1 }]);
  });
});
