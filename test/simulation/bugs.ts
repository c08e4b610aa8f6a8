import type { Mutation } from './build.js';
import type { Invariant } from './facts.js';

/** A guard of the library that is missing, and what has to notice. */
export interface Bug extends Mutation {
  readonly name: string;
  /** One of them is broken first. */
  readonly finds: readonly Invariant[];
}

export const BUGS: readonly Bug[] = [
  // The server: channels with history
  {
    name: 'a change of epoch is not noticed',
    file: 'lib/core/channel-stream.ts',
    find: 'if (position.epoch !== last.epoch || position.offset > last.offset + 1)',
    replace: 'if (position.offset > last.offset + 1)',
    finds: ['I1', 'I7'],
  },
  {
    name: 'a hole between broker and node is not noticed',
    file: 'lib/core/channel-stream.ts',
    find: 'position.offset > last.offset + 1) void this.#refill(publication);\n    else if (position.offset === last.offset + 1)',
    replace:
      'position.offset < 0) void this.#refill(publication);\n    else if (position.offset > last.offset)',
    finds: ['I1'],
  },
  {
    name: 'the loss of the last publication is not looked for',
    file: 'lib/core/channel-stream.ts',
    find: 'if (!this.#position) return;',
    replace: 'if (this.#position) return;',
    finds: ['I7'],
  },
  {
    name: 'a late publication of an old epoch is read for without end',
    file: 'lib/core/channel-stream.ts',
    find: 'if (publication && publication.position?.epoch === this.#position?.epoch)',
    replace: 'if (publication)',
    finds: ['I9', 'I7'],
  },
  {
    name: 'a resume does not look at the epoch',
    file: 'lib/core/missed.ts',
    find: 'position.epoch !== since.epoch || !isAll',
    replace: '!isAll',
    finds: ['I1', 'I7'],
  },
  {
    name: 'a resume does not look whether the history reaches back',
    file: 'lib/core/missed.ts',
    find: 'const isAll = publications.length === position.offset - since.offset',
    replace: 'const isAll = true',
    finds: ['I1', 'I7'],
  },
  {
    name: 'the history reaches back one less than it says',
    file: 'lib/core/missed.ts',
    find: 'publications.length === position.offset - since.offset',
    replace: 'publications.length >= position.offset - since.offset - 1',
    finds: ['I1'],
  },
  {
    name: 'a replay and what comes live are merged off by one',
    file: 'lib/core/subscription.ts',
    find: 'position.offset <= last.offset) return false;',
    replace: 'position.offset < last.offset) return false;',
    finds: ['I2', 'I1', 'I7'],
  },
  {
    name: 'the state is taken before the position',
    file: 'lib/core/subscription.ts',
    find: '      const before = this.#stream?.position;\n      const data = await callSubscribe(message, method, route);',
    replace:
      '      const data = await callSubscribe(message, method, route);\n      const before = this.#stream?.position;',
    finds: ['I1'],
  },
  {
    name: 'a resume does not ask the guard',
    file: 'lib/core/subscription.ts',
    find: 'const data = await callSubscribe(message, method, route);',
    replace: 'const data = since ? undefined : await callSubscribe(message, method, route);',
    finds: ['I11', 'I9'],
  },
  {
    name: 'a member stays in the hub when it leaves',
    file: 'lib/core/subscription.ts',
    find: "    this.#exit();\n    await this.#undo('unsubscribed');",
    replace: "    await this.#undo('unsubscribed');",
    finds: ['I10', 'I9'],
  },
  {
    name: 'a join that a close has overtaken stays in the hub',
    file: 'lib/core/subscription.ts',
    find: '        this.#exit();\n        return;',
    replace: '        return;',
    finds: ['I9'],
  },
  {
    name: 'a history keeps one more than it may',
    file: 'lib/core/channel-history.ts',
    find: 'this.#drop(this.#entries.length - size);',
    replace: 'this.#drop(this.#entries.length - size - 1);',
    finds: ['I8', 'I1'],
  },
  {
    name: 'a key is forgotten at once',
    file: 'lib/core/channel-history.ts',
    find: 'if (key !== undefined) this.#keys.set(key, this.#offset);',
    replace: '',
    finds: ['I2'],
  },
  {
    name: 'every life of a history has the same epoch',
    file: 'lib/core/memory-broker.ts',
    find: 'new ChannelHistory(this.#random.id())',
    replace: "new ChannelHistory('epoch')",
    finds: ['I1', 'I2', 'I7'],
  },

  // The server: acked messages
  {
    name: 'an ack leaves before the handler has resolved',
    file: 'lib/core/acked-turn.ts',
    find: '    if (result instanceof Promise) {\n      this.#follow(result);',
    replace: '    if (result instanceof Promise) {\n      this.#done(undefined);',
    finds: ['I4'],
  },
  {
    name: 'a timeout frees the claim',
    file: 'lib/core/acked-turn.ts',
    find: "    else this.#refuse(new ChannelsError('timeout',",
    replace: "    else this.#claim?.free(), this.#refuse(new ChannelsError('timeout',",
    finds: ['I6'],
  },
  {
    name: 'a retryable error is stored',
    file: 'lib/core/acked-turn.ts',
    find: 'if (!wire.retryable) {',
    replace: 'if (wire.retryable) {',
    finds: ['I4', 'I5', 'I6'],
  },
  {
    name: 'the dedup key has no principal',
    file: 'lib/core/claim-gate.ts',
    find: 'principal: connection.principal,',
    replace: "principal: '',",
    finds: ['I4', 'I6'],
  },
  {
    name: 'the dedup key has no content',
    file: 'lib/core/claim-gate.ts',
    find: 'contentHash: contentHash(event, data),',
    replace: "contentHash: 'same',",
    finds: ['I4', 'I6', 'I5'],
  },
  {
    name: 'a claim is not renewed',
    file: 'lib/core/claims.ts',
    find: 'else this.#renew(claim, now);',
    replace: '',
    finds: ['I6'],
  },
  {
    name: 'what is answered runs again',
    file: 'lib/core/memory-dedup-store.ts',
    find: 'if (entry.contentHash !== key.contentHash)',
    replace:
      'if (entry.answer && entry.contentHash === key.contentHash) return this.#claim(key, now);\n    if (entry.contentHash !== key.contentHash)',
    finds: ['I6'],
  },
  {
    name: 'an answer is kept no longer than a claim',
    file: 'lib/core/memory-dedup-store.ts',
    find: 'entry.expiresAt = now + this.#rules.windowMs;',
    replace: '',
    finds: ['I6'],
  },
  {
    name: 'what has gone is still counted',
    file: 'lib/core/memory-dedup-store.ts',
    find: 'this.#grow(entry, -entry.bytes);',
    replace: '',
    finds: ['I9', 'I8', 'I5'],
  },
  {
    name: 'a lane lets two in',
    file: 'lib/core/lane.ts',
    find: 'if (this.#current || this.#parked || this.#waiting.length > 0) {',
    replace: 'if (this.#waiting.length > 0) {',
    finds: ['I3'],
  },
  {
    name: 'a lane is last in, first out',
    file: 'lib/core/lane.ts',
    find: 'this.#waiting.shift() as Turn;',
    replace: 'this.#waiting.pop() as Turn;',
    finds: ['I3'],
  },
  {
    name: 'no limit to what is in flight',
    file: 'lib/core/dispatcher.ts',
    find: 'return connection.inFlight >= maxInFlight ? this.#tooMany(connection, connection.inFlight) : undefined;',
    replace: 'return undefined;',
    finds: ['I8'],
  },

  // The client
  {
    name: 'the client hands out what came twice',
    file: 'lib/client/channel-table.ts',
    find: 'if (offset <= position.offset) return false;',
    replace: 'if (offset <= position.offset) return true;',
    finds: ['I2'],
  },
  {
    name: 'the client does not notice a hole',
    file: 'lib/client/channel-table.ts',
    find: 'const isNext = offset - dropped === position.offset + 1;',
    replace: 'const isNext = offset > position.offset;',
    finds: ['I1'],
  },
  {
    name: 'the client goes back to the position of an ack',
    file: 'lib/client/channel-table.ts',
    find: 'if (!(hasMoved && recovered)) record.position = next;',
    replace: 'record.position = next;',
    finds: ['I1', 'I2', 'I10'],
  },
  {
    name: 'the client does not say from where it resumes',
    file: 'lib/client/channel-table.ts',
    find: '{ channel: name, params, since }',
    replace: '{ channel: name, params }',
    finds: ['I1', 'I2', 'I7'],
  },
  {
    name: 'the client resumes where somebody else has left',
    file: 'lib/client/channels-client.ts',
    find: 'if (this.#formerly !== principal) this.#channels.forget();',
    replace: '',
    finds: ['I11', 'I1', 'I7'],
  },
  {
    name: 'the client sends as somebody else what was queued before',
    file: 'lib/client/send-queue.ts',
    find: '} else if (message.principal !== principal) this.#take(message).reject(error);',
    replace: '}',
    finds: ['I11', 'I6'],
  },
  {
    name: 'the client takes another identity with each connection',
    file: 'lib/client/connection.ts',
    find: 'const data = { clientId: this.#events.clientId(), heartbeat: true };',
    replace: 'const data = { clientId: this.#options.random.id(), heartbeat: true };',
    finds: ['I6'],
  },
  {
    name: 'the client does not send again after a reconnect',
    file: 'lib/client/send-queue.ts',
    find: 'for (const message of this.#messages.values()) message.isElsewhere = message.isInFlight = false;',
    replace: '',
    finds: ['I5'],
  },
  {
    name: 'the client sends again what is too old',
    file: 'lib/client/send-queue.ts',
    find: 'if (this.#isTooLate(message, now)) {',
    replace: 'if (now < 0) {',
    finds: ['I5', 'I6'],
  },
  {
    name: 'the client sends the newest first',
    file: 'lib/client/send-queue.ts',
    find: '    for (const message of this.#messages.values()) {\n      if (message.isInFlight) continue;',
    replace:
      '    for (const message of [...this.#messages.values()].reverse()) {\n      if (message.isInFlight) continue;',
    finds: ['I3'],
  },
  {
    name: 'the client takes a retryable error for an answer',
    file: 'lib/client/send-queue.ts',
    find: 'if (refusal?.retryable) {',
    replace: 'if (refusal?.retryable === null) {',
    finds: ['I5'],
  },
];
