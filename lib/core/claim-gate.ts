import type { MessageId } from '../protocol/index.js';
import { contentHash } from './content-hash.js';
import type { Claim, DedupKey } from './dedup-store.interface.js';
import type { Engine } from './engine.js';
import type { Gate, Message } from './handler.interface.js';
import { HeldClaim, type ClaimedRun } from './held-claim.js';

/** Who waits before the gate. */
export interface GateKeeper extends ClaimedRun {
  /** The peer has its answer, or is gone. */
  readonly isSettled: boolean;

  /** Something takes its time: what holds a claim has to renew it. */
  readonly isPending: boolean;

  /** Aborts when it is settled. */
  readonly signal: AbortSignal;
}

/** Why a message does not run. */
export type Obstacle =
  | Exclude<Claim, { readonly type: 'claimed' }>
  /** The store cannot be asked. */
  | { readonly type: 'unknown' };

/** Lets a message pass that no other copy has run: the claim of its id, and what is in the way of it. */
export class ClaimGate implements Gate {
  /** Set where the message has passed. */
  claim?: HeldClaim;

  /** Set where it was turned away. */
  obstacle?: Obstacle;

  constructor(
    private readonly engine: Engine,
    private readonly message: Message,
    private readonly keeper: GateKeeper,
  ) {}

  enter(): Promise<boolean> | boolean {
    try {
      const key = keyOf(this.message);
      const claim = this.engine.dedup.claim(key);
      if (!(claim instanceof Promise) && claim.type !== 'running') return this.#pass(key, claim);
      return this.#contend(key, claim);
    } catch (error) {
      return this.#shut(error);
    }
  }

  /** Waits for the copy that runs, and passes where that one has ended without an answer. */
  async #contend(key: DedupKey, first: Promise<Claim> | Claim): Promise<boolean> {
    const { dedup } = this.engine;
    try {
      let claim = await first;
      while (claim.type === 'running' && !this.keeper.isSettled) {
        // Each round waits for the end of one run.
        // oxlint-disable-next-line no-await-in-loop
        await dedup.wait(key, this.keeper.signal);
        if (this.keeper.isSettled) return false;
        // oxlint-disable-next-line no-await-in-loop
        claim = await dedup.claim(key);
      }
      return this.#pass(key, claim);
    } catch (error) {
      return this.#shut(error);
    }
  }

  #pass(key: DedupKey, claim: Claim): boolean {
    if (claim.type !== 'claimed') {
      this.obstacle = claim;
      return false;
    }
    const held = new HeldClaim(this.engine, key, claim.fence, this.keeper);
    // The peer was told that it has not run, or is gone: so it does not, and the next copy may.
    if (this.keeper.isSettled) {
      held.free();
      return false;
    }
    if (this.keeper.isPending) held.keep();
    this.claim = held;
    return true;
  }

  #shut(error: unknown): boolean {
    this.engine.observers.failed({ where: this.keeper.where, error });
    this.obstacle = { type: 'unknown' };
    return false;
  }
}

/** `1` and `"1"` are the same id. As a number it is found without a look at its digits. */
function canonicalId(id: MessageId): MessageId {
  if (typeof id === 'number') return id;
  const number = Number(id);
  return Number.isSafeInteger(number) && String(number) === id ? number : id;
}

function keyOf({ connection, event, data, id }: Message): DedupKey {
  return {
    principal: connection.principal,
    clientId: connection.clientId ?? connection.ownClientId,
    id: canonicalId(id as MessageId),
    contentHash: contentHash(event, data),
  };
}
