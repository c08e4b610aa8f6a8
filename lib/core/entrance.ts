import { AddressTable, type AddressRefusal } from './address-table.js';
import type { AdmissionOptions } from './admission-options.js';
import type { Clock } from './clock.interface.js';
import type { Random } from './random.interface.js';
import { SlotBook, type Slot } from './slot-book.js';

/** A peer that wants to connect. */
export interface Visitor {
  /** What its address counts as; `undefined` where it is not known, and nothing counts. */
  readonly address?: string;
  /** That an earlier refusal has given it. */
  readonly ticket?: string;
  /** Whether it brings a ticket back. */
  readonly takesTickets: boolean;
}

export type EntryRefusal = AddressRefusal | ({ readonly reason: 'handshake_rate' | 'connections' } & Slot);

/** Something that counts until it is left. */
export interface Place {
  /** May be called twice. */
  leave(): void;
}

/** Of somebody whom no limit concerns. */
export const NOT_COUNTED: Place = { leave: () => undefined };

/** Counts who is on this node, and who comes: what may enter, and when the others may. */
export class Entrance {
  readonly #book: SlotBook;
  readonly #addresses: AddressTable;
  readonly #perPrincipal = new Map<string, number>();
  #connections = 0;

  constructor(
    private readonly options: Readonly<Required<AdmissionOptions>>,
    clock: Clock,
    random: Random,
  ) {
    const { handshakesPerSecond: perSecond, maxConnections } = options;
    this.#book = new SlotBook({ perSecond, places: maxConnections || Infinity }, clock, random);
    this.#addresses = new AddressTable(options, clock);
  }

  /** Entries in all tables; 0 when nobody is here and nobody is expected. */
  get size(): number {
    return this.#connections + this.#perPrincipal.size + this.#book.size + this.#addresses.size;
  }

  /** Takes a place, or says why there is none. */
  enter({ address, ticket, takesTickets }: Visitor): Place | EntryRefusal {
    const { maxConnections } = this.options;
    const counted = this.#addresses.isOff ? undefined : address;
    const refusal = counted === undefined ? undefined : this.#addresses.ask(counted);
    if (refusal) return refusal;
    const room = maxConnections > 0 ? maxConnections - this.#connections : Infinity;
    const slot = this.#book.ask({ ticket, takesTickets, room });
    if (slot) return { reason: this.#book.isFull(room) ? 'connections' : 'handshake_rate', ...slot };
    // Where nothing is limited a connection does not pay for it.
    if (maxConnections === 0 && counted === undefined) return NOT_COUNTED;
    return this.#take(counted);
  }

  /** Takes a place among the connections of a principal; `undefined` where it has all that it may have. */
  identify(principal: string): Place | undefined {
    if (principal === '') return NOT_COUNTED;
    const connections = this.#perPrincipal.get(principal) ?? 0;
    if (connections >= this.options.maxConnectionsPerPrincipal) return undefined;
    this.#perPrincipal.set(principal, connections + 1);
    return once(() => this.#forgetOne(principal));
  }

  sweep(now: number): void {
    this.#book.sweep(now);
    this.#addresses.sweep(now);
  }

  #take(address: string | undefined): Place {
    this.#connections++;
    if (address !== undefined) this.#addresses.enter(address);
    return once(() => {
      this.#connections--;
      if (address !== undefined) this.#addresses.leave(address);
    });
  }

  #forgetOne(principal: string): void {
    const left = (this.#perPrincipal.get(principal) ?? 0) - 1;
    if (left > 0) this.#perPrincipal.set(principal, left);
    else this.#perPrincipal.delete(principal);
  }
}

function once(leave: () => void): Place {
  let isTaken = true;
  return {
    leave: () => {
      if (isTaken) leave();
      isTaken = false;
    },
  };
}
