import { watched, type Outcome } from '../client/client-rig.js';
import type { RequestOptions } from '../../lib/core/channel-socket.js';
import type { FaultKind } from '../../lib/core/observer.interface.js';
import { Rig, say, settled, type Peer, type RigOptions } from './engine-rig.js';

/** A request as it has travelled. */
interface Request {
  readonly event: string;
  readonly data?: unknown;
  readonly id: string;
}

/** One peer that is asked, and what became of it. */
export class Desk {
  constructor(
    readonly rig: Rig,
    readonly peer: Peer,
    readonly faults: readonly FaultKind[] = [],
  ) {}

  static async open(options: RigOptions = {}): Promise<Desk> {
    const faults: FaultKind[] = [];
    const observer = { faulted: (_: unknown, kind: FaultKind) => void faults.push(kind) };
    const rig = await Rig.start({ observers: [observer], ...options });
    return new Desk(rig, rig.open(), faults);
  }

  ask(event = 'confirm', data?: unknown, options?: RequestOptions): Outcome {
    return watched(this.peer.connection.request(event, data, options));
  }

  /** The requests that have been sent, in order. */
  async sent(): Promise<Request[]> {
    await settled();
    const frames = this.peer.transport.frames.map((text) => JSON.parse(text) as Request);
    return frames.filter(({ id }) => id !== undefined);
  }

  async answer(answer: object, at = 0): Promise<void> {
    const { id } = (await this.sent())[at] as Request;
    say(this.peer, { ack: id, ...answer });
    await settled();
  }
}

/** Whether the peer has been sent nothing at all. */
export async function isSilent({ transport }: Peer): Promise<boolean> {
  await settled();
  return transport.frames.length === 0;
}
