import { once } from 'node:events';
import { ServiceUnavailableException } from '@nestjs/common';
import type { ChannelsService } from 'nestjs-channels';
import { Database } from '../../../sample/02-orders/database.js';

/** Where a process can be struck, in the order in which a bid comes by. */
export type Place = 'before' | 'during' | 'after' | 'published';

/** What strikes, and where: `kill during`. Nothing unless given. */
const [what, where] = (process.env['FAULT'] ?? '').split(' ');

/** How often `unavailable` strikes before it is over. */
const TIMES_AWAY = 2;

let strikes = 0;

function strike(place: Place): void {
  if (place !== where) return;
  strikes += 1;
  if (what === 'kill') process.kill(process.pid, 'SIGKILL');
  if (what === 'throw') throw new Error(`the handler fails ${place} its effect`);
  if (what === 'unavailable' && strikes <= TIMES_AWAY) throw new ServiceUnavailableException('not now');
}

/** The database of the sample, which can be struck before, in and after a transaction. */
export class FaultyDatabase extends Database {
  override transaction<Result>(work: () => Result): Result {
    strike('before');
    const result = super.transaction(() => {
      const made = work();
      strike('during');
      return made;
    });
    strike('after');
    return result;
  }
}

/** Lets every handler hang behind its effect until SIGUSR2 comes; or strikes it when it has published. */
export function infest(channels: ChannelsService): void {
  const publish = channels.publish.bind(channels);
  const released = what === 'hang' ? once(process, 'SIGUSR2') : undefined;
  channels.publish = async (...args) => {
    if (released) process.stdout.write('A handler hangs.\n');
    await released;
    await publish(...args);
    strike('published');
  };
}
