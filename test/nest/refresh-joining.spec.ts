import { expect, it } from 'vitest';
import { TokenRig } from '../support/token-rig.js';

/** A first join that waits for its method to decide. */
async function beginJoin() {
  const rig = await TokenRig.start();
  const client = await rig.enter(60, { rooms: ['a'] });
  const decided = rig.holdUp();
  const joining = client.subscribe('room:a');
  await expect.poll(() => rig.desk.seen).toEqual(['join a undefined']);
  return { rig, client, decided, joining };
}

it('asks again about a first join that is under way, by the rights of before', async () => {
  const { rig, client, decided, joining } = await beginJoin();

  await client.request('$refresh', { token: rig.token(60, { rooms: [] }) });
  decided.resolve();
  await joining;

  expect(await client.waitFor({ event: '$unsubscribed' })).toMatchObject({
    data: { channel: 'room:a', code: 'forbidden' },
  });
  expect((await client.unsubscribe('room:a')).error).toMatchObject({ code: 'not_subscribed' });
});

it('leaves out a first join that was refused anyway', async () => {
  const { rig, client, decided, joining } = await beginJoin();

  await client.request('$refresh', { token: rig.token(60, { rooms: ['a'] }) });
  decided.reject(new Error('no'));
  await joining;
  await client.request('who');

  expect(rig.desk.seen).toEqual(['join a undefined']);
});
