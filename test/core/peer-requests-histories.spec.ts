import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Rig, say, settled, type Peer } from './engine-rig.js';
import { check } from './subscription-tape.js';

/** One step of a history. `pick` chooses a request among all that were ever sent. */
type Step =
  | { readonly type: 'ask'; readonly timeoutMs: number; readonly aborts: boolean }
  | { readonly type: 'answer'; readonly pick: number; readonly outcome: 'data' | 'error' | 'rubbish' }
  | { readonly type: 'abort'; readonly pick: number }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'close' | 'lose' | 'turn' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      timeoutMs: fc.constantFrom(5, 10, 10, 40),
      aborts: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      pick: fc.nat({ max: 9 }),
      outcome: fc.constantFrom('data' as const, 'error' as const, 'rubbish' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), pick: fc.nat({ max: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat({ max: 15 }) }) },
  { weight: 2, arbitrary: fc.constant<Step>({ type: 'turn' }) },
  { weight: 1, arbitrary: fc.constantFrom<Step[]>({ type: 'close' }, { type: 'lose' }) },
);

const MAX_REQUESTS = 4;

/** What the rules say of one request. */
interface Asked {
  readonly controller: AbortController | undefined;
  readonly dueAt: number;
  id: string;
  /** How it has to end, as soon as something has decided that. */
  expected: string | undefined;
  /** How it has ended, each time that it did. */
  readonly endings: string[];
}

/** One peer that is asked in any order of events, beside a model of what has to become of it. */
class World {
  readonly #rig = new Rig({
    maxRequestsPerConnection: MAX_REQUESTS,
    observers: [{ faulted: () => void this.#lateAcks++ }],
  });
  readonly #peer: Peer = this.#rig.open();
  readonly #asked: Asked[] = [];
  #isOpen = true;
  #late = 0;
  #lateAcks = 0;

  static async play(steps: readonly Step[]): Promise<void> {
    const world = new World();
    for (const next of steps) {
      await world.#take(next);
      const timers = world.#rig.clock.pendingTimers;
      check(timers === Math.min(world.#open.length, 1), `${world.#open.length} wait, ${timers} timers run`);
    }
    await world.#finish();
  }

  async #take(next: Step): Promise<void> {
    switch (next.type) {
      case 'ask':
        return this.#ask(next);
      case 'answer':
        return this.#answer(next);
      case 'abort':
        return this.#abort(this.#asked[next.pick]);
      case 'pass':
        return this.#pass(next.ms);
      case 'turn':
        return settled();
      case 'close':
      case 'lose':
        return this.#end(next.type);
    }
  }

  get #open(): Asked[] {
    return this.#asked.filter(({ expected }) => expected === undefined);
  }

  #ask({ timeoutMs, aborts }: Step & { readonly type: 'ask' }): void {
    const isFull = this.#open.length >= MAX_REQUESTS;
    const refusal = isFull ? 'limit_exceeded' : undefined;
    const controller = aborts ? new AbortController() : undefined;
    const asked: Asked = {
      controller,
      dueAt: this.#rig.clock.now() + timeoutMs,
      id: '',
      expected: this.#isOpen ? refusal : 'unavailable',
      endings: [],
    };
    const { connection, transport } = this.#peer;
    const end = (ending: string): void => void asked.endings.push(ending);
    connection.request('q', this.#asked.length, { timeoutMs, signal: controller?.signal }).then(
      (value) => end(`answer ${String(value)}`),
      (error: { code?: string }) => end(error?.code ?? String(error)),
    );
    this.#asked.push(asked);
    connection.outbox.flush();
    if (asked.expected === undefined)
      asked.id = (JSON.parse(transport.frames.at(-1) as string) as { id: string }).id;
  }

  #answer({ pick, outcome }: Step & { readonly type: 'answer' }): void {
    const asked = this.#asked[pick];
    if (!asked || asked.id === '') return;
    const answers = {
      data: { data: pick },
      error: { error: { code: 'conflict' } },
      rubbish: { error: [null] },
    };
    const endings = { data: `answer ${pick}`, error: 'conflict', rubbish: 'internal' };
    say(this.#peer, { ack: asked.id, ...answers[outcome] });
    if (this.#isOpen && asked.expected !== undefined) this.#late++;
    asked.expected ??= endings[outcome];
  }

  #abort(asked: Asked | undefined): void {
    if (!asked?.controller) return;
    asked.controller.abort('aborted');
    asked.expected ??= 'aborted';
  }

  async #pass(ms: number): Promise<void> {
    await this.#rig.clock.advance(ms);
    for (const asked of this.#open) if (asked.dueAt <= this.#rig.clock.now()) asked.expected = 'timeout';
  }

  #end(how: 'close' | 'lose'): void {
    if (how === 'close') this.#peer.connection.close(1_000);
    else this.#peer.connection.closed(1_006, '');
    this.#isOpen = false;
    for (const asked of this.#open) asked.expected = 'unavailable';
  }

  async #finish(): Promise<void> {
    await this.#pass(40);
    await settled();

    for (const [at, { expected, endings }] of this.#asked.entries()) {
      const isRight = endings.length === 1 && endings[0] === expected;
      check(isRight, `request ${at} ended ${endings.join(', ')}, not ${expected}`);
    }
    check(this.#lateAcks === this.#late, `${this.#lateAcks} late answers, not ${this.#late}`);
  }
}

// Each request settles exactly once, with what came first: the answer, its time, its abort or the end of the
// connection; nothing is left of it.
//
// What it has to find within these runs, tried by hand: settling without taking the request out; an abort
// that leaves the request open; a timer that stays when nothing waits; a close that forgets what is owed;
// counting what is settled against the limit.
it('settles each request exactly once, in any history', { timeout: 60_000 }, async () => {
  const histories = fc.array(step, { maxLength: 40, size: 'max' });

  const property = fc.asyncProperty(histories, World.play);

  await expect(fc.assert(property, { numRuns: 600 })).resolves.toBeUndefined();
});
