import type { Identity } from './identity.js';
import type { Revocation, RevocationHost, RevocationStore } from './revocation-store.interface.js';
import { noRoom, RevocationTable } from './revocation-table.js';

/** Revocations in the memory of this process: a restart forgets them. */
export class MemoryRevocationStore implements RevocationStore {
  #table?: RevocationTable;
  #max = 0;

  get size(): number {
    return this.#table?.size ?? 0;
  }

  start({ clock, maxRevocations }: RevocationHost): void {
    this.#table = new RevocationTable(clock);
    this.#max = maxRevocations;
  }

  add(revocation: Revocation): void {
    if (!this.#table?.hasRoom(revocation.target, this.#max)) throw noRoom(this.#max);
    this.#table.set(revocation);
  }

  learn(revocation: Revocation): void {
    this.#table?.set(revocation);
  }

  covers(identity: Identity): boolean {
    return this.#table?.covers(identity) ?? false;
  }

  close(): void {}
}
