import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MAX_ADDRESSES } from '../../lib/core/address-table.js';
import { ADMISSION_DEFAULTS, type AdmissionOptions } from '../../lib/core/admission-options.js';
import { Entrance, type EntryRefusal, type Place } from '../../lib/core/entrance.js';
import { FULL_WAIT_MS } from '../../lib/core/slot-book.js';
import { seeded } from '../client/fake-server.js';

/** An entrance and who comes to it. */
class Gate {
  readonly clock = new TestClock();
  readonly entrance: Entrance;

  constructor(options: AdmissionOptions) {
    this.entrance = new Entrance({ ...ADMISSION_DEFAULTS, ...options }, this.clock, seeded(1));
  }

  enter(address?: string, ticket?: string): Place | EntryRefusal {
    return this.entrance.enter({ address, ticket, takesTickets: true });
  }

  /** Why it was refused; `in` for one who was not. */
  try(address?: string): string {
    const entry = this.enter(address);
    return 'leave' in entry ? 'in' : entry.reason;
  }

  letIn(address?: string): Place {
    const entry = this.enter(address);
    if ('leave' in entry) return entry;
    throw new Error(`refused: ${entry.reason}`);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.entrance.sweep(this.clock.now());
  }
}

describe('Entrance', () => {
  it('lets everybody in by default', () => {
    const gate = new Gate({});

    expect(
      Array.from({ length: 2_000 }, () => gate.try('192.0.2.1')).filter((entry) => entry !== 'in'),
    ).toEqual([]);
  });

  it('holds maxConnections, and takes one more when one has left', () => {
    const gate = new Gate({ maxConnections: 2 });
    const first = gate.letIn();

    expect([gate.try(), gate.try()]).toEqual(['in', 'connections']);
    first.leave();
    // Whoever was refused has a slot that is not due yet.
    expect([gate.try(), gate.try()]).toEqual(['in', 'connections']);
  });

  it('counts a place that is left twice once', () => {
    const gate = new Gate({ maxConnections: 2 });
    const first = gate.letIn();
    gate.letIn();

    first.leave();
    first.leave();

    expect([gate.try(), gate.try()]).toEqual(['in', 'connections']);
  });

  it('says that it is full where its last place is kept for who has waited', async () => {
    const gate = new Gate({ maxConnections: 2 });
    const first = gate.letIn();
    gate.letIn();
    gate.try();
    await gate.pass(FULL_WAIT_MS);

    first.leave();

    expect(gate.try()).toBe('connections');
  });

  it('holds handshakesPerSecond', () => {
    const gate = new Gate({ handshakesPerSecond: 2 });

    expect([gate.try(), gate.try(), gate.enter()]).toMatchObject([
      'in',
      'in',
      { reason: 'handshake_rate', retryAfterMs: 500, ticket: expect.any(String) },
    ]);
  });

  it('holds maxConnectionsPerAddress for each address', () => {
    const gate = new Gate({ maxConnectionsPerAddress: 2 });
    const first = gate.letIn('192.0.2.1');

    expect([gate.try('192.0.2.1'), gate.try('192.0.2.1'), gate.try('192.0.2.2')]).toEqual([
      'in',
      'address_connections',
      'in',
    ]);
    first.leave();
    expect([gate.try('192.0.2.1'), gate.try('192.0.2.1')]).toEqual(['in', 'address_connections']);
  });

  it('holds handshakesPerSecondPerAddress, and sends the others one after the other', async () => {
    const gate = new Gate({ handshakesPerSecondPerAddress: 2 });

    const entries = Array.from({ length: 4 }, () => gate.enter('192.0.2.1'));

    expect(entries.slice(2)).toEqual([
      { reason: 'address_rate', retryAfterMs: 500 },
      { reason: 'address_rate', retryAfterMs: 1_000 },
    ]);
    expect(gate.try('192.0.2.2')).toBe('in');
    await gate.pass(500);
    expect([gate.try('192.0.2.1'), gate.try('192.0.2.1')]).toEqual(['in', 'address_rate']);
  });

  it('takes no turn of the node for an address that has none', () => {
    const gate = new Gate({ handshakesPerSecond: 2, handshakesPerSecondPerAddress: 1 });

    const entries = [gate.try('192.0.2.1'), gate.try('192.0.2.1'), gate.try('192.0.2.2')];

    expect(entries).toEqual(['in', 'address_rate', 'in']);
  });

  it('gives an address no more slots than handshakes', () => {
    const gate = new Gate({ handshakesPerSecond: 1, handshakesPerSecondPerAddress: 3 });

    const entries = Array.from({ length: 5 }, () => gate.try('192.0.2.1'));

    expect(entries).toEqual(['in', 'handshake_rate', 'handshake_rate', 'address_rate', 'address_rate']);
  });

  it('counts nobody whose address is not known', () => {
    const gate = new Gate({ maxConnectionsPerAddress: 1, handshakesPerSecondPerAddress: 1 });

    expect([gate.try(), gate.try()]).toEqual(['in', 'in']);
  });

  it('holds maxConnectionsPerPrincipal, but not for anonymous ones', () => {
    const gate = new Gate({ maxConnectionsPerPrincipal: 2 });
    const first = gate.entrance.identify('ada');
    gate.entrance.identify('ada');

    expect(gate.entrance.identify('ada')).toBeUndefined();
    expect(gate.entrance.identify('bob')).toBeDefined();
    first?.leave();
    expect([gate.entrance.identify('ada'), gate.entrance.identify('ada')]).toEqual([
      expect.anything(),
      undefined,
    ]);
    for (let at = 0; at < 3; at++) expect(gate.entrance.identify('')).toBeDefined();
  });

  it('lets a principal have 100 connections by default', () => {
    const gate = new Gate({});
    for (let at = 0; at < 100; at++) expect(gate.entrance.identify('ada')).toBeDefined();

    expect(gate.entrance.identify('ada')).toBeUndefined();
  });

  it('takes a principal of any name', () => {
    const gate = new Gate({ maxConnectionsPerPrincipal: 1 });

    expect([gate.entrance.identify('__proto__'), gate.entrance.identify('__proto__')]).toEqual([
      expect.anything(),
      undefined,
    ]);
  });

  it(`remembers the handshakes of ${MAX_ADDRESSES} addresses, and forgets the oldest for one more`, () => {
    const gate = new Gate({ handshakesPerSecondPerAddress: 1 });
    for (let at = 0; at < MAX_ADDRESSES; at++) gate.letIn(`a${at}`).leave();
    const full = gate.entrance.size;

    expect([gate.try('a1'), gate.try('one more'), gate.entrance.size - full]).toEqual([
      'address_rate',
      'in',
      1,
    ]);
    // `a1` was heard of since.
    expect([gate.try('a1'), gate.try('a0')]).toEqual(['address_rate', 'in']);
  });

  it('has nothing left when all have gone and all times have passed', async () => {
    const gate = new Gate({
      handshakesPerSecond: 5,
      maxConnections: 20,
      maxConnectionsPerAddress: 3,
      handshakesPerSecondPerAddress: 3,
    });
    const places = Array.from({ length: 40 }, (_, at) => gate.enter(`192.0.2.${at % 5}`));
    const named = ['ada', 'ada', 'bob', ''].map((principal) => gate.entrance.identify(principal));
    const busy = gate.entrance.size;

    for (const place of [...places, ...named]) if (place && 'leave' in place) place.leave();
    await gate.pass(60_000);

    expect([busy > 10, gate.entrance.size]).toEqual([true, 0]);
  });
});
