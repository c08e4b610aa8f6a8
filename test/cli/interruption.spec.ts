import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { abortOnSignals, Interruption } from '../../lib/cli/interruption.js';

function press() {
  const exits: number[] = [];
  const target = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  let now = 5_000;
  const signal = abortOnSignals(target, () => now);
  return { target, signal, exits, pass: (ms: number) => void (now += ms) };
}

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'aborts at the first %s, for the exit code %i, and leaves the process alone',
  (name, exitCode) => {
    const { target, signal, exits } = press();

    target.emit(name);

    expect(signal.reason).toBeInstanceOf(Interruption);
    expect([signal.aborted, signal.reason, exits]).toMatchObject([true, { exitCode }, []]);
  },
);

it('takes a Ctrl-C that npm hands on for the same one', () => {
  const { target, exits, pass } = press();

  target.emit('SIGINT');
  pass(1_000);
  target.emit('SIGINT');

  expect(exits).toEqual([]);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('ends the process at once when it is asked again, by %s with %i', (name, exitCode) => {
  const { target, exits, pass } = press();

  target.emit('SIGINT');
  pass(1_001);
  target.emit(name);

  expect(exits).toEqual([exitCode]);
});
