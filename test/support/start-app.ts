import {
  createChannelsTestApp,
  type ChannelsTestApp,
  type ChannelsTestAppOptions,
} from 'nestjs-channels/testing';
import { expect, onTestFinished } from 'vitest';
import { Audit, together, type Tally } from './audit.js';

/** Of applications that have shared a log. */
let audits: Audit[] = [];
let running = 0;

/**
 * An application that ends with the test. Its log goes nowhere: what fails on purpose would bury what fails. When all
 * applications of a test have ended, what they have told of connections has to be in their log and in their metrics,
 * with the same reasons and as often.
 */
export function startApp(options: ChannelsTestAppOptions): Promise<ChannelsTestApp> {
  return startAudited(new Audit(options));
}

/** The same, for a test that looks at what was counted. */
export async function startAudited(audit: Audit): Promise<ChannelsTestApp> {
  const app = await createChannelsTestApp(audit.audited);
  audits.push(audit);
  running++;
  onTestFinished(async () => {
    await app.close();
    if (--running > 0) return;
    const all = audits;
    audits = [];
    await agree(all);
  });
  return app;
}

function sumOf(fact: string, tally: Tally): number {
  const counts = Object.entries(tally).filter(([word]) => word.startsWith(fact));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

async function agree(all: readonly Audit[]): Promise<void> {
  const facts = together(all.map((each) => each.facts));
  expect(sumOf('closed', facts), 'as many have ended as were opened').toBe(sumOf('opened', facts));
  const metrics = together(await Promise.all(all.map((each) => each.metrics())));
  expect(metrics, 'the metrics have what observers were told').toEqual(facts);
  // All write into that of the last one.
  if (all.at(-1)?.hasLog() !== true) return;
  const log = together(all.map((each) => each.log));
  expect(log, 'the log has what observers were told').toEqual(facts);
}
