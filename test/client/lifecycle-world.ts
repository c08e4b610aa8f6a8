import * as fc from 'fast-check';
import {
  reduce,
  START,
  type Effect,
  type Input,
  type Lifecycle,
  type LifecycleOptions,
} from '../../lib/client/lifecycle.js';

export const OPTIONS: LifecycleOptions & { maxRetries: number } = {
  server: 'channels',
  token: undefined,
  connectTimeoutMs: 10_000,
  helloTimeoutMs: 5_000,
  minRetryDelayMs: 500,
  maxRetryDelayMs: 30_000,
  stableAfterMs: 10_000,
  maxRetries: 1_000,
};

/** A lifecycle that a test leads through its inputs. */
export class Life {
  current: Lifecycle = START;
  effects: readonly Effect[] = [];
  now = 0;
  isOwed = false;

  constructor(
    readonly options: LifecycleOptions = OPTIONS,
    public chance = 0.5,
  ) {}

  get state(): Lifecycle['state'] {
    return this.current.state;
  }

  take(...inputs: readonly Input[]): this {
    for (const input of inputs) {
      const { now, chance, isOwed } = this;
      const { next, effects } = reduce(this.current, input, this.options, { now, chance, isOwed });
      this.current = next;
      this.effects = effects;
    }
    return this;
  }

  /** From wherever it is through an attempt that succeeds. */
  open(): this {
    return this.take(
      { type: 'connect' },
      { type: 'token', token: undefined },
      { type: 'opened' },
      { type: 'welcomed' },
    );
  }

  lose(code = 1006, retryAfterMs?: number): this {
    return this.take({ type: 'lost', code, retryAfterMs });
  }

  /** The timer that the last input has started. */
  timer(name: string): number | undefined {
    const effect = this.effects.find((each) => each.type === 'startTimer' && each.timer === name);
    return effect?.type === 'startTimer' ? effect.ms : undefined;
  }
}

export const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Any close code that an endpoint may see. */
export const code = fc.integer({ min: 1000, max: 4999 });

export const input: fc.Arbitrary<Input> = fc.oneof(
  fc.constantFrom<Input[]>(
    { type: 'connect' },
    { type: 'need' },
    { type: 'token', token: undefined },
    { type: 'opened' },
    { type: 'welcomed' },
    { type: 'deadline' },
    { type: 'retry' },
    { type: 'stable' },
    { type: 'slot' },
    { type: 'hint' },
    { type: 'close' },
    { type: 'reset' },
    { type: 'failed', reason: 'silence' },
    { type: 'failed', reason: 'connect_failed' },
    { type: 'drain', reconnectAfterMs: 500 },
  ),
  fc.record({
    type: fc.constant('lost' as const),
    code: fc.oneof(code, fc.constantFrom(1006, 1012, 1013, 4401, 4501, 4509, 4510)),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 86_400_000 }), { nil: undefined }),
  }),
);
