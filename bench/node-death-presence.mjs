import { now } from './numbers.mjs';

/** Compares who is said to be in the halls of bench/node-death.mjs with who is there. */
export class PresenceWatch {
  /** Connections that are there behind the death: of each hall by principal. */
  #expected = new Map();
  #looks = 0;
  #wrongLooks = 0;
  #countsRightAt;
  #exactAt;

  /** @param ask - resolves with the `halls`, as a watcher in each is told of its `members` */
  constructor(places, ask) {
    this.ask = ask;
    for (const { kind, user, hall } of places) if (kind !== 'leaver') this.#expect(`hall:${hall}`, user);
  }

  /** As far as the last look tells. */
  get isExact() {
    return this.#exactAt !== undefined;
  }

  async look(diedAt) {
    const { halls } = await this.ask();
    const ms = Math.round(now() - diedAt);
    const isRight = halls.length === this.#expected.size && halls.every((hall) => this.#isCountedRight(hall));
    // Those who do not come back are listed with 0 connections until their grace is over.
    const isExact =
      isRight && halls.every(({ members }) => members.every(([, connections]) => connections > 0));
    this.#looks++;
    if (!isRight) this.#wrongLooks++;
    this.#countsRightAt = isRight ? (this.#countsRightAt ?? ms) : undefined;
    this.#exactAt = isExact ? (this.#exactAt ?? ms) : undefined;
  }

  /** @param rosters - what each watcher has by `$join` and `$leave` */
  result(rosters) {
    const sizes = [...this.#expected.values()].map(({ size }) => size);
    return {
      halls: sizes.length,
      principals: sizes.reduce((sum, size) => sum + size, 0),
      looks: this.#looks,
      wrongLooks: this.#wrongLooks,
      /** Milliseconds behind the death from which on every look was right; nothing where the last one was not. */
      countsRightMs: this.#countsRightAt,
      exactMs: this.#exactAt,
      rosters: rosters.length,
      wrongRosters: rosters.filter((roster) => !this.#isRightRoster(roster)).length,
      wrongEvents: rosters.reduce((sum, { wrong }) => sum + wrong, 0),
    };
  }

  #expect(hall, user) {
    const users = this.#expected.get(hall) ?? new Map();
    this.#expected.set(hall, users.set(user, (users.get(user) ?? 0) + 1));
  }

  /** One entry for each principal who is connected, with as many connections as there are. */
  #isCountedRight({ hall, members }) {
    const expected = this.#expected.get(hall);
    const connected = members.filter(([, connections]) => connections > 0);
    return (
      connected.length === expected.size &&
      new Set(members.map(([principal]) => principal)).size === members.length &&
      connected.every(([principal, connections]) => expected.get(principal) === connections)
    );
  }

  #isRightRoster({ hall, members }) {
    const expected = this.#expected.get(hall);
    return members.length === expected.size && members.every((principal) => expected.has(principal));
  }
}
