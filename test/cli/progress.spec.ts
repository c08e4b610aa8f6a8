import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Progress } from '../../lib/cli/progress.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch(isTerminal: boolean) {
  let written = '';
  let count = 0;
  const output = { isTerminal, write: (text: string) => void (written += text) };
  const progress = new Progress(output, () => `line ${++count}`);
  return { progress, written: () => written };
}

it('writes one line anew each second on a terminal, and takes it away in the end', () => {
  const { progress, written } = watch(true);

  vi.advanceTimersByTime(2_000);
  progress.end();
  vi.advanceTimersByTime(5_000);

  expect(written()).toBe('\r\u001B[Kline 1\r\u001B[Kline 2\r\u001B[K');
});

it('writes a line each five seconds elsewhere', () => {
  const { progress, written } = watch(false);

  vi.advanceTimersByTime(10_000);
  progress.end();
  vi.advanceTimersByTime(5_000);

  expect(written()).toBe('line 1\nline 2\n');
});
