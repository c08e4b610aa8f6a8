import { CLIENT_OPTIONS, OPTIONS } from './rules.js';
import type { World } from './world.js';

// What cannot be seen from one moment is checked as it happens: I1, I2 and I10 for the application in `view.ts`,
// I10, I11 and I3 on the wire in `wire.ts`, I4 and I6 at the handlers in `runs.ts`, offsets in `ledger.ts`.

/** I5: every call has ended, for a reason. */
export function checkCalls({ people }: World): void {
  for (const person of people) for (const call of person.calls) person.justify(call);
}

/** Whether nobody waits for anything. */
export function isAtRest({ people, leaving }: World): boolean {
  return leaving.size === 0 && people.every((person) => person.waiting === 0 && person.isCurrent);
}

/** I7: everybody has what was published, or knows that it has not. */
export function checkCurrent({ people, facts }: World): void {
  for (const person of people) {
    facts.check(
      'I7',
      person.client.state.name === 'open',
      `person ${person.index} is ${person.client.state.name}`,
    );
    for (const view of person.expected) facts.check('I7', view.isCurrent, view.description);
  }
}

/** I8: nothing has outgrown its bound. */
export function checkRoom({ nodes, people, facts, store }: World): void {
  store.checkRoom();
  for (const { engine, isUp } of nodes) {
    if (!isUp) continue;
    for (const { inFlight, outbox } of engine.connections.values()) {
      facts.check('I8', inFlight <= OPTIONS.maxInFlight, `${inFlight} messages are in flight`);
      const { bytes } = outbox;
      facts.check('I8', bytes <= OPTIONS.maxOutboxBytes, `${bytes} bytes wait for a peer`);
    }
  }
  for (const { waiting, client } of people) {
    facts.check(
      'I8',
      waiting <= CLIENT_OPTIONS.maxQueue + 1,
      `${waiting} messages wait in a client that is ${client.state.name}`,
    );
  }
}

/** I9: nobody is connected, so nothing is kept for anybody. */
export function checkNothingLeft({ nodes, people, facts, bus }: World): void {
  for (const { engine, joins, hasJoined } of nodes) {
    const { connections, hub, claims, drainQueue } = engine;
    facts.check('I9', connections.size === 0, `${connections.size} connections are left`);
    facts.check('I9', hub.size === 0, `${hub.size} channels are left`);
    facts.check('I9', claims.size === 0, `${claims.size} claims are left`);
    facts.check('I9', drainQueue.size === 0, `${drainQueue.size} slow readers are left`);
    facts.check('I9', joins === 0 || hasJoined, `${joins} joins were not undone`);
  }
  for (const { clock, index } of people) {
    facts.check('I9', clock.pendingTimers === 0, `person ${index} leaves ${clock.pendingTimers} timers`);
  }
  bus.checkEmpty();
}

/** I9: the processes have ended, so nothing of them runs. */
export function checkNoTimers({ nodes, facts }: World): void {
  for (const { clock } of nodes)
    facts.check('I9', clock.pendingTimers === 0, `a node leaves ${clock.pendingTimers} timers`);
}
