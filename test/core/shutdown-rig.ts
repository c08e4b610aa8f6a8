import { Deferred } from '../support/deferred.js';
import { Rig, say, type Peer, type RigOptions } from './engine-rig.js';

/** A rig whose handler `work` ends when the test says so. */
export async function startWorking(
  options: RigOptions = {},
): Promise<{ rig: Rig; work: Deferred<unknown>; peer: Peer }> {
  const work = new Deferred<unknown>();
  const handlers = [{ event: 'work', acked: false, handle: () => work.promise }];
  const rig = await Rig.start({ handlers, ...options });
  const peer = rig.open();
  say(peer, { event: 'work', id: 1 });
  return { rig, work, peer };
}

/** Shuts down, with a look at whether that has ended. */
export function shutDown({ engine }: Rig): { readonly ended: () => boolean } {
  let ended = false;
  void engine.shutdown().then(() => (ended = true));
  return { ended: () => ended };
}
