import { ChannelsError, type Publication } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { expect, it } from 'vitest';
import { MemoryBroker } from '../../lib/core/memory-broker.js';
import { seededRandom } from '../core/engine-rig.js';
import { enter, framesOf, publication, publish, startRoom } from '../support/room.js';

/** A broker that cannot be reached for a while. */
class DistantBroker extends MemoryBroker {
  isAway = false;

  constructor() {
    super({ clock: new TestClock(), random: seededRandom(7) });
  }

  override subscribe(): void {
    this.#reach();
  }

  override publish(sent: Publication): undefined {
    this.#reach();
    super.publish(sent);
    return undefined;
  }

  #reach(): void {
    if (this.isAway) throw new ChannelsError('unavailable', 'the broker is away');
  }
}

it('answers unavailable while the broker is away, and works when it is back', async () => {
  const broker = new DistantBroker();
  const rig = await startRoom({ channels: { broker } });
  const client = await rig.room.clients.next();

  broker.isAway = true;
  const { error } = await rig.client.subscribe('room:1');
  await expect(client.subscribe('room:1')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(publish(rig, 'lost')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  broker.isAway = false;
  await enter(rig, 'room:1');
  await publish(rig, 'found');

  expect(error).toEqual({ code: 'unavailable', message: 'the broker is away', retryable: true });
  expect(rig.room.joins.all).toHaveLength(1);
  expect((await framesOf(rig.client)).slice(2)).toEqual([publication('room:1', 'found')]);
});
