import { BadRequestException, ServiceUnavailableException } from '@nestjs/common';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startOnce, type Script } from '../support/once-rig.js';

describe('an acked handler', () => {
  it.each<[how: string, allows: Script['allows']]>([
    ['at once', () => true],
    ['later', () => Promise.resolve(true)],
    ['by an Observable', () => of(true)],
  ])('runs guards on every copy, which agree %s, and everything else once', async (_how, allows) => {
    const { script, connect } = await startOnce();
    script.allows = allows;
    const client = await connect();

    const first = await client.request('guarded', '7', { id: 'm' });
    const ran = [...script.ran];
    const second = await client.request('guarded', '7', { id: 'm' });

    expect([first, second]).toEqual([
      { ack: 'm', data: 7 },
      { ack: 'm', data: 7 },
    ]);
    expect(ran).toEqual(['guard', 'interceptor', 'pipe', 'method']);
    expect(script.ran).toEqual([...ran, 'guard']);
  });

  it('stores the bad_request of a pipe like any other answer', async () => {
    const { script, connect } = await startOnce();
    const client = await connect();

    const answers = [
      await client.request('guarded', 'seven', { id: 'm' }),
      await client.request('guarded', 'seven', { id: 'm' }),
    ];

    expect(answers).toMatchObject([{ error: { code: 'bad_request' } }, { error: { code: 'bad_request' } }]);
    expect(answers[1]).toEqual(answers[0]);
    expect(script.ran).toEqual(['guard', 'interceptor', 'pipe', 'guard']);
  });

  it('stores nothing that a guard says: the next copy asks it again', async () => {
    const { script, connect } = await startOnce();
    const client = await connect();
    script.allows = () => false;
    const refused = await client.request('guarded', '7', { id: 'm' });

    script.allows = () => true;
    const answer = await client.request('guarded', '7', { id: 'm' });

    expect(refused).toMatchObject({ error: { code: 'forbidden' } });
    expect(answer).toEqual({ ack: 'm', data: 7 });
  });

  it('keeps the stored answer from whom a guard refuses now', async () => {
    const { script, connect } = await startOnce();
    const client = await connect();
    await client.request('guarded', '7', { id: 'm' });

    script.allows = () => false;

    expect(await client.request('guarded', '7', { id: 'm' })).toMatchObject({ error: { code: 'forbidden' } });
  });

  it('compares what came, not what a pipe makes of it', async () => {
    const { connect } = await startOnce();
    const client = await connect();
    await client.request('guarded', '7', { id: 'm' });

    expect(await client.request('guarded', 7, { id: 'm' })).toMatchObject({ error: { code: 'conflict' } });
  });

  it('stores what a filter makes of an error, also of a retryable one', async () => {
    const { script, connect } = await startOnce();
    script.method = () => Promise.reject(new ServiceUnavailableException('later'));
    const client = await connect();

    const answers = [
      await client.request('filtered', 1, { id: 'm' }),
      await client.request('filtered', 1, { id: 'm' }),
    ];

    expect(answers.map(({ data }) => data)).toEqual([{ filtered: 'later' }, { filtered: 'later' }]);
    expect(script.ran).toEqual(['guard', 'method', 'guard']);
  });

  it('sends, and does not store, what a filter makes of a refusal', async () => {
    const { script, connect } = await startOnce();
    script.allows = () => false;
    const client = await connect();
    const refused = await client.request('filtered', 1, { id: 'm' });

    script.allows = () => true;

    expect(refused.data).toEqual({ filtered: 'Forbidden resource' });
    expect(await client.request('filtered', 1, { id: 'm' })).toEqual({ ack: 'm', data: 1 });
  });

  it('repeats what the callback of @Ack() was given', async () => {
    const { script, connect } = await startOnce();
    const client = await connect();

    const answers = [
      await client.request('by hand', 'x', { id: 'm' }),
      await client.request('by hand', 'x', { id: 'm' }),
    ];

    expect(answers.map(({ data }) => data)).toEqual(['x', 'x']);
    expect(script.ran).toEqual(['method']);
  });

  it('runs again after an error that Nest maps to a retryable one, and not after another', async () => {
    const { script, connect } = await startOnce();
    const client = await connect();
    script.method = () => {
      throw new ServiceUnavailableException();
    };
    await client.request('plain', 1, { id: 'm' });
    script.method = () => {
      throw new BadRequestException('no');
    };
    await client.request('plain', 1, { id: 'm' });
    script.method = () => 'fine';

    const answer = await client.request('plain', 1, { id: 'm' });

    expect(answer).toMatchObject({ error: { code: 'bad_request', message: 'no' } });
    expect(script.ran).toEqual(['method', 'method']);
  });

  it('repeats an internal error under its correlation id', async () => {
    const { script, connect } = await startOnce();
    const client = await connect();
    script.method = () => {
      throw new Error('secret');
    };

    const answers = [
      await client.request('plain', 1, { id: 'm' }),
      await client.request('plain', 1, { id: 'm' }),
    ];

    expect(answers[0]?.error?.message).toMatch(/^Internal server error \(.+\)$/);
    expect(answers[1]).toEqual(answers[0]);
  });
});
