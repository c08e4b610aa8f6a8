import { describe, expect, it } from 'vitest';
import { hintsFor } from '../../lib/cli/load-hints.js';
import { figuresOf, optionsOf, WHOLE } from './load-fixtures.js';

const SENDING = optionsOf('--event', 'chat.send');
const ALL = figuresOf({ sent: 100 });

describe('the hints of a run', () => {
  it('are none where the tool kept up', () => {
    expect(hintsFor(SENDING, ALL, WHOLE)).toEqual([]);
    expect(hintsFor(optionsOf(), figuresOf({}), WHOLE)).toEqual([]);
  });

  it.each([
    [{ eventLoopDelayP99Ms: 50.1, cpuPercent: 10 }, 'its event loop was 50.1 ms late (p99, over 50 ms)'],
    [{ eventLoopDelayP99Ms: 1, cpuPercent: 91 }, 'it took 91 % of a core'],
  ])('say that the tool was too slow while it sent, or connected: %j', (busy, what) => {
    const sending = { ...WHOLE, own: { ...WHOLE.own, ...busy } };
    const connecting = { ...WHOLE, own: { ...WHOLE.own, connecting: busy } };

    expect(hintsFor(SENDING, ALL, sending)).toEqual([
      `This tool was too slow: ${what}. Its own time is in the figures; spread the load over several runs.`,
    ]);
    expect(hintsFor(SENDING, ALL, connecting)).toEqual([
      `This tool was too slow while it connected: ${what}. Its own time is in those of connects and joins; lower --ramp, or spread the load over several runs.`,
    ]);
  });

  it.each([
    [{ sent: 94 }, true],
    [{ sent: 93, unsent: 0 }, false],
  ])('leave out a few messages that are not due yet: %j', (figures, isFine) => {
    expect(hintsFor(SENDING, figuresOf(figures), WHOLE).length).toBe(isFine ? 0 : 1);
  });

  it.each([
    [{ sent: 50, unsent: 0 }, '50 of 100 messages were sent: this tool had no time for the others'],
    [{ sent: 50, unsent: 50 }, '50 of 100 messages were sent: nobody was in a channel to send the others'],
  ])('say why the rate was not reached: %j', (figures, what) => {
    expect(hintsFor(SENDING, figuresOf(figures), WHOLE)).toEqual([expect.stringContaining(what)]);
  });

  it('measure a run that was stopped by the time that it had', () => {
    const outcome = { ...WHOLE, wasInterrupted: true, sendingMs: 1_000 };

    expect(hintsFor(SENDING, figuresOf({ sent: 10 }), outcome)).toEqual([]);
  });

  it.each([
    ['EMFILE', 'raise ulimit -n'],
    ['EADDRNOTAVAIL', 'run from another address'],
  ])('say what to do about %s', (code, what) => {
    const figures = figuresOf({ sent: 100 });
    figures.causes.add(code);

    expect(hintsFor(SENDING, figures, WHOLE)).toEqual([expect.stringContaining(what)]);
  });

  it('name the cap of a user where its token was refused with 4429', () => {
    const figures = figuresOf({ sent: 100 });
    figures.refused.add(4429);

    expect(hintsFor(optionsOf('--event', 'e', '--token', 'a'), figures, WHOLE)).toEqual([
      expect.stringContaining('maxConnectionsPerPrincipal'),
    ]);
    expect(hintsFor(SENDING, figures, WHOLE)).toEqual([]);
  });

  it('say that messages without {text} are neither timed nor missed', () => {
    const options = optionsOf('--event', 'e', '--data', '"{room}"');

    expect(hintsFor(options, ALL, WHOLE)).toEqual([expect.stringContaining('There is no {text} in --data')]);
  });
});
