import { ServiceUnavailableException } from '@nestjs/common';
import { expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { TokenRig } from '../support/token-rig.js';

const LONG = 'x'.repeat(32_768);

it('drops the channels that are not allowed any more, and tells it', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60, { rooms: ['a', 'b'] });
  await client.subscribe('room:a');
  await client.subscribe('room:b');

  await client.request('$refresh', { token: rig.token(60, { rooms: ['a'] }) });
  const told = await client.waitFor({ event: '$unsubscribed' });
  await rig.app.channels.publish('room:b', 'news', 'not for ada');
  await rig.app.channels.publish('room:a', 'news', 'for ada');

  expect(told['data']).toEqual({ channel: 'room:b', code: 'forbidden', reason: 'not your room' });
  expect(await client.next()).toMatchObject({ channel: 'room:a', data: 'for ada' });
  expect((await client.unsubscribe('room:b')).error).toMatchObject({ code: 'not_subscribed' });
});

it('runs the methods again with what was asked, each a join of its own', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a', { params: { page: 1 } });
  await client.subscribe('room:b');

  await client.request('$refresh', { token: rig.token(60) });
  await client.unsubscribe('room:a');
  await client.unsubscribe('room:b');

  expect(rig.desk.seen.toSorted()).toEqual([
    'join a {"page":1}',
    'join a {"page":1}',
    'join b undefined',
    'join b undefined',
    'leave a replaced',
    'leave a unsubscribed',
    'leave b replaced',
    'leave b unsubscribed',
  ]);
});

it('leaves alone what the server has joined, whatever the new token allows', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60, { rooms: ['b'] });
  await client.request('enter', 'room:a');
  await client.subscribe('room:b');

  await client.request('$refresh', { token: rig.token(60, { rooms: [] }) });
  const told = await client.waitFor({ event: '$unsubscribed' });
  await rig.app.channels.publish('room:a', 'news', 1);

  expect(told['data']).toMatchObject({ channel: 'room:b' });
  expect(await client.waitFor({ channel: 'room:a' })).toMatchObject({ data: 1 });
  expect(rig.desk.seen.filter((line) => line.includes(' a'))).toEqual([]);
});

it('does not join again what the client has left while the guards ran', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a');
  await client.subscribe('room:b');
  const opens = new Deferred<void>();
  rig.desk.opens = opens.promise;

  const answer = client.request('$refresh', { token: rig.token(60) });
  await client.unsubscribe('room:a');
  opens.resolve();
  await answer;
  await client.unsubscribe('room:b');
  await rig.app.channels.publish('room:a', 'news', 1);

  expect((await client.unsubscribe('room:a')).error).toMatchObject({ code: 'not_subscribed' });
  expect(rig.desk.seen).toEqual([
    ...['join a undefined', 'join b undefined', 'leave a unsubscribed'],
    ...['join b undefined', 'leave b replaced', 'leave b unsubscribed'],
  ]);
});

it('lets the client leave while the method decides, and does not bring it back', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a');
  const decided = rig.holdUp();

  await client.request('$refresh', { token: rig.token(60) });
  const left = client.unsubscribe('room:a');
  await client.request('who');
  decided.resolve();

  expect((await left).data).toEqual({ channel: 'room:a' });
  expect((await client.unsubscribe('room:a')).error).toMatchObject({ code: 'not_subscribed' });
  expect(rig.desk.seen.at(-1)).toBe('leave a unsubscribed');
});

it('lets publications go on while a method decides', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a');
  const decided = rig.holdUp();

  await client.request('$refresh', { token: rig.token(60) });
  await rig.app.channels.publish('room:a', 'news', 1);
  const publication = await client.waitFor({ channel: 'room:a' });
  decided.resolve();

  expect(publication).toMatchObject({ data: 1, offset: 1 });
  expect((await client.unsubscribe('room:a')).data).toEqual({ channel: 'room:a' });
});

it('ends the connection with 1013 where nobody can decide now: nobody stays, and the client comes back', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a');
  rig.desk.decide = () => {
    throw new ServiceUnavailableException();
  };

  await client.request('$refresh', { token: rig.token(60) });

  expect(await client.closed).toMatchObject({ code: 1013 });
});

it('counts a method that decides behind the end of the connection as joined and left', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a');
  const decided = rig.holdUp();
  await client.request('$refresh', { token: rig.token(60) });

  await client.close();
  decided.resolve();
  await rig.clock.advance(10);

  expect(rig.desk.seen.filter((line) => line.startsWith('leave'))).toEqual([
    'leave a closed',
    'leave a closed',
  ]);
});

it('keeps params of maxMessageBytes characters together, and refuses one more', async () => {
  const rig = await TokenRig.start({ maxMessageBytes: 65_536 });
  const client = await rig.enter(60);
  // A text in JSON has two quotes.
  const half = LONG.slice(2);

  const answers = [
    await client.subscribe('room:a', { params: half }),
    await client.subscribe('room:b', { params: half }),
    await client.subscribe('room:c', { params: 1 }),
  ];
  await client.unsubscribe('room:b');
  const again = await client.subscribe('room:c', { params: 1 });

  expect(answers.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'limit_exceeded']);
  expect(again.error).toBe(undefined);
});

it('keeps no params of a session that does not end', async () => {
  const rig = await TokenRig.start({
    session: () => ({ principal: 'ada', expiresAt: Number.POSITIVE_INFINITY }),
  });
  const client = await rig.enter(60);

  const answers = [];
  for (const room of ['a', 'b', 'c']) {
    answers.push(await client.subscribe(`room:${room}`, { params: LONG }));
  }

  expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
});
