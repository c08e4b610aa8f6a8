import type { ChannelsClientOptions } from '../../lib/client/index.js';
import { ClientRig } from './client-rig.js';
import type { FakePeer, Received } from './fake-server.js';

const DRAIN = { event: '$drain', data: { reconnectAfterMs: 0 } };

/** A client in these channels. */
export async function joined(
  channels: readonly string[],
  options?: ChannelsClientOptions,
): Promise<Handover> {
  const rig = await ClientRig.open(options);
  const handover = new Handover(rig);
  for (const name of channels) {
    rig.client.channel(name).on('message', (data) => handover.heard.push(data));
    rig.client.channel(name).on('$gap', ({ reason }) => handover.heard.push(`gap ${reason}`));
  }
  await rig.pass();
  return handover;
}

/** The two connections of a client whose server has told it to go. */
export class Handover {
  readonly heard: unknown[] = [];

  constructor(readonly rig: ClientRig) {}

  get old(): FakePeer {
    return this.rig.server.peers[0] as FakePeer;
  }

  get fresh(): FakePeer {
    return this.rig.server.peers[1] as FakePeer;
  }

  /** Until the new one has said `$hello`, or longer. */
  async begin(ms = 10): Promise<void> {
    this.old.send(DRAIN);
    await this.rig.pass(ms);
  }

  /** What was said by one of them, but for the greeting. */
  said(peer: FakePeer): unknown[] {
    return peer.frames.filter(({ event }) => event !== '$hello').map(({ event, data }) => [event, data]);
  }
}

export const subscribes = ({ frames }: FakePeer): Received[] =>
  frames.filter(({ event }) => event === '$subscribe');
