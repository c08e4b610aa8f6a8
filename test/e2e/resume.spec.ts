import { describe, expect, it } from 'vitest';
import { Bus } from '../support/bus-broker.js';
import { HISTORY_SIZE, NewsNode, NewsReader, numbers } from '../support/resume-rig.js';

describe(`a client that comes back to a channel with a history of ${HISTORY_SIZE}`, () => {
  it.each([1, HISTORY_SIZE])('gets all of %i that it has missed, once and in order', async (missed) => {
    const node = await NewsNode.start();
    const reader = await NewsReader.join(node);
    await reader.leave();
    await node.publish(missed);

    reader.comeBack();
    await reader.hears(missed);
    await node.publish(1);
    await reader.hears(missed + 1);

    expect(reader.told).toEqual([{ recovered: true, state: missed }, ...numbers(1, missed + 1)]);
  });

  it(`is told once that it cannot have ${HISTORY_SIZE + 1}, and gets none of them`, async () => {
    const node = await NewsNode.start();
    const reader = await NewsReader.join(node);
    await reader.leave();
    await node.publish(HISTORY_SIZE + 1);

    reader.comeBack();
    await reader.until(({ told }) => told.length === 2);
    await node.publish(1);
    await reader.hears(HISTORY_SIZE + 2);

    expect(reader.told).toEqual([
      { gap: 'rejoined' },
      { recovered: false, state: HISTORY_SIZE + 1 },
      HISTORY_SIZE + 2,
    ]);
  });

  it('goes on where it was at each of many returns', async () => {
    const node = await NewsNode.start();
    const reader = await NewsReader.join(node);
    const got: unknown[] = [];

    for (let round = 0; round < 20; round++) {
      await reader.leave();
      await node.publish(10);
      reader.comeBack();
      await reader.hears(10 * (round + 1));
      got.push(...reader.told);
    }

    expect(got.filter((told) => typeof told === 'number')).toEqual(numbers(1, 200));
    expect(got.filter((told) => typeof told === 'object')).toEqual(
      numbers(1, 20).map((round) => ({ recovered: true, state: 10 * round })),
    );
  });

  it('gets it all from a server that has never seen it', async () => {
    const bus = new Bus();
    const [here, there] = [await NewsNode.start(bus.node()), await NewsNode.start(bus.node())];
    const reader = await NewsReader.join(here);
    await here.publish(3);
    await reader.hears(3);
    await reader.leave();
    await here.publish(HISTORY_SIZE);

    reader.comeBack(there);
    await reader.hears(HISTORY_SIZE + 3);

    expect(reader.told).toEqual([
      { recovered: true, state: HISTORY_SIZE + 3 },
      ...numbers(4, HISTORY_SIZE + 3),
    ]);
    expect(there.door.joins).toBe(1);
  });

  // The client has heard 5. What each server has is of another life, or not as much.
  it.each<[string, number, (bus: Bus) => Bus | undefined]>([
    ['that was started again', 0, () => undefined],
    ['of another epoch that has published as much', 5, () => undefined],
    ['of another epoch that has published more', 8, () => undefined],
    ['of the same epoch that has published less', 3, () => new Bus()],
  ])('is told once, and gets nothing, from a server %s', async (_what, published, busOf) => {
    const bus = new Bus();
    const before = await NewsNode.start(bus.node());
    const reader = await NewsReader.join(before);
    await before.publish(5);
    await reader.hears(5);
    await reader.leave();
    const after = await NewsNode.start(busOf(bus)?.node());
    await after.publish(published, 101);

    reader.comeBack(after);
    await reader.until(({ told }) => told.length === 2);
    await after.publish(2, 201);
    await reader.hears(202);

    const state = published === 0 ? undefined : 100 + published;
    expect(reader.told).toEqual([{ gap: 'rejoined' }, { recovered: false, state }, 201, 202]);
  });
});

describe('the guards of a channel', () => {
  it('are asked at every return, and so is its method', async () => {
    const node = await NewsNode.start();
    const reader = await NewsReader.join(node);

    for (let round = 0; round < 3; round++) {
      await reader.leave();
      reader.comeBack();
      await reader.until(({ told }) => told.length === 1);
    }

    expect([node.door.asked, node.door.joins]).toEqual([4, 4]);
  });

  it('keep what it has missed from who may not have it any more', async () => {
    const node = await NewsNode.start();
    const reader = await NewsReader.join(node);
    await reader.leave();
    await node.publish(3);

    node.door.isOpen = false;
    reader.comeBack();
    await reader.until(({ errors }) => errors.length > 0);
    await node.publish(1);
    // An answer that is behind everything which the server may have sent before.
    await expect(reader.client.send('nothing')).rejects.toMatchObject({ code: 'unknown_event' });

    expect([reader.told, reader.errors, node.door.joins]).toEqual([[], ['forbidden'], 1]);
  });
});

describe('a channel whose method returns the last of its history', () => {
  it('has the last value as its state, and what follows behind it', async () => {
    const node = await NewsNode.start();
    await node.publish(7);

    const reader = await NewsReader.join(node);
    await node.publish(1);
    await reader.hears(8);

    expect(reader.told).toEqual([{ recovered: false, state: 7 }, 8]);
  });

  it('has none where nothing was published', async () => {
    const reader = await NewsReader.join(await NewsNode.start());

    expect(reader.told).toEqual([{ recovered: false, state: undefined }]);
  });
});
