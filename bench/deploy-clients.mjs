// The clients of bench/deploys.mjs, in a process of their own: real ones, as their users have them.
import { ChannelsClient } from 'nestjs-channels/client';
import { WebSocket } from 'ws';
import { now } from './numbers.mjs';

/** Clients that connect for the first time at the same time. */
const BATCH = 50;

/** When connections were asked for. */
const attempts = [];
const members = [];
/** Of each room, what was answered. */
const answered = new Map();

process.on('disconnect', () => process.exit());
process.on('message', async ({ type, ...order }) => {
  process.send({ type, ...(await ORDERS[type](order)) });
});

const ORDERS = {
  async open({ url, first, count, perRoom }) {
    for (let at = 0; at < count; at += BATCH) {
      const batch = Array.from(
        { length: Math.min(BATCH, count - at) },
        (_, offset) => new Member(url, first + at + offset, perRoom),
      );
      members.push(...batch);
      await Promise.all(batch.map((member) => member.joins));
    }
  },
  start({ everyMs }) {
    for (const member of members) member.start(everyMs);
  },
  stop() {
    for (const member of members) member.stop();
  },
  unanswered: () => ({ count: members.reduce((sum, { unanswered }) => sum + unanswered, 0) }),
  away: () => ({ count: members.filter(({ isHere }) => !isHere).length }),
  /** Who has not seen what was answered in their room. */
  missing: () => ({ count: members.reduce((sum, member) => sum + member.missing, 0) }),
  result: () => ({
    attempts,
    members: members.map(({ longestAwayMs, gaps, said, rejected, missing, doubled }) => ({
      longestAwayMs,
      gaps,
      said,
      rejected,
      missing,
      doubled,
    })),
  }),
};

/** A client in a room, and what became of it. */
class Member {
  unanswered = 0;
  said = 0;
  gaps = 0;
  doubled = 0;
  rejected = [];
  longestAwayMs = 0;
  #seen = new Set();
  #wasHere = false;
  #awaySince;
  #timer;

  constructor(url, number, perRoom) {
    this.room = Math.floor(number / perRoom);
    class Counted extends WebSocket {
      constructor(...args) {
        super(...args);
        attempts.push(now());
      }
    }
    this.client = new ChannelsClient(`${url}?user=u${number}`, { WebSocket: Counted });
    this.client.on('$gap', () => this.gaps++);
    this.client.on('$state', ({ name }) => this.#changed(name));
    const channel = this.client.channel(`room:${this.room}`);
    channel.on('said', ({ id }) => {
      if (this.#seen.has(id)) this.doubled++;
      this.#seen.add(id);
    });
    this.joins = channel.subscribe();
  }

  get isHere() {
    return this.client.state.name === 'open';
  }

  get missing() {
    const ids = answered.get(this.room) ?? [];
    return ids.filter((id) => !this.#seen.has(id)).length;
  }

  start(everyMs) {
    const say = () => {
      this.#timer = setTimeout(say, everyMs);
      void this.#say();
    };
    this.#timer = setTimeout(say, Math.random() * everyMs);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  async #say() {
    this.unanswered++;
    this.said++;
    try {
      const id = await this.client.send('say', { room: this.room });
      const ids = answered.get(this.room) ?? [];
      answered.set(this.room, ids);
      ids.push(id);
    } catch ({ code }) {
      this.rejected.push(code);
    }
    this.unanswered--;
  }

  /** From the welcome of one connection to the loss of the last one that there is, it is here. */
  #changed(name) {
    if (name !== 'open') {
      if (this.#wasHere) this.#awaySince ??= now();
    } else {
      this.longestAwayMs = Math.max(this.longestAwayMs, now() - (this.#awaySince ?? now()));
      this.#awaySince = undefined;
      this.#wasHere = true;
    }
  }
}
