import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { abortOnSignals } from '../../lib/cli/interruption.js';

function press() {
  const exits: number[] = [];
  const target = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  let now = 5_000;
  const signal = abortOnSignals(target, () => now);
  return { target, signal, exits, pass: (ms: number) => void (now += ms) };
}

it.each(['SIGINT', 'SIGTERM'])('aborts at the first %s, and leaves the process alone', (name) => {
  const { target, signal, exits } = press();

  target.emit(name);

  expect([signal.aborted, exits]).toEqual([true, []]);
});

it('takes a Ctrl-C that npm hands on for the same one', () => {
  const { target, exits, pass } = press();

  target.emit('SIGINT');
  pass(1_000);
  target.emit('SIGINT');

  expect(exits).toEqual([]);
});

it('ends the process at once when it is asked again', () => {
  const { target, exits, pass } = press();

  target.emit('SIGINT');
  pass(1_001);
  target.emit('SIGINT');

  expect(exits).toEqual([130]);
});
