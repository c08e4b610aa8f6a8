import { expect, it } from 'vitest';
import { isPending } from '../support/pending.js';
import { TokenRig } from '../support/token-rig.js';

const CLIENT = 's'.repeat(22);

it('has no answer, no running message and no connection of somebody else under their clientId', async () => {
  const rig = await TokenRig.start();
  const ada = await rig.enter(60);
  const eve = await rig.app.connect('/ws', { token: rig.token(60, { sub: 'eve' }) });
  const own = await rig.app.connect('/ws', { token: rig.token(60) });
  await own.hello({ clientId: CLIENT });
  await own.request('count', 'secret', { id: 'm1' });

  await eve.hello({ clientId: CLIENT });
  const copy = await eve.request('count', 'mine', { id: 'm1' });
  const again = await own.request('count', 'secret', { id: 'm1' });

  // Neither the answer of ada, nor a conflict that would tell that there is one.
  expect(copy).toEqual({ ack: 'm1', data: 'mine' });
  expect(again).toEqual({ ack: 'm1', data: 'secret' });
  expect(rig.desk.seen).toEqual(['count secret', 'count mine']);
  expect([await isPending(own.closed), await isPending(ada.closed)]).toEqual([true, true]);
});

it('has none of it by a $refresh either', async () => {
  const rig = await TokenRig.start();
  const own = await rig.app.connect('/ws', { token: rig.token(60) });
  await own.hello({ clientId: CLIENT });
  const eve = await rig.app.connect('/ws', { token: rig.token(60, { sub: 'eve' }) });
  await eve.hello({ clientId: CLIENT });

  const { error } = await eve.request('$refresh', { token: rig.token(60) });

  expect(error).toMatchObject({ code: 'forbidden' });
  expect(await eve.closed).toMatchObject({ code: 4401 });
  expect(await isPending(own.closed)).toBe(true);
});

it('closes the older of two connections, also where its $hello is the later one', async () => {
  const rig = await TokenRig.start();
  const older = await rig.app.connect('/ws', { token: rig.token(60) });
  const newer = await rig.app.connect('/ws', { token: rig.token(60) });
  await newer.hello({ clientId: CLIENT });

  older.send({ event: '$hello', id: 1, data: { clientId: CLIENT } });

  expect(await older.closed).toMatchObject({ code: 4509 });
  expect((await newer.request('count', 1)).data).toBe(1);
});
