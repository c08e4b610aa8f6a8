import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ChaosProcess } from '../support/chaos-process.js';
import { LossyLink } from '../support/lossy-link.js';

const SECONDS = 60;
const LOSS = 0.1;
const DOWN_MS = 3_000;
const TIMEOUT_MS = 150_000;

interface Report {
  readonly deliveries: number;
  readonly effects: number;
  readonly gaps: number;
  readonly recovered: number;
  /** Connections that clients have lost, and that the server has seen end. */
  readonly losses: number;
  readonly closed: number;
  readonly violations: readonly string[];
}

/** Clients in one namespace, their server in the other. */
function start(link: LossyLink, seconds: number, options: object = {}): ChaosProcess {
  const { serverNamespace, clientNamespace, host } = link;
  const args = ['--server-namespace', serverNamespace, '--host', host, '--seconds', String(seconds)];
  const command = ['ip', 'netns', 'exec', clientNamespace];
  return new ChaosProcess('lossy-link', [...args, '--options', JSON.stringify(options)], command);
}

async function interrupt(link: LossyLink): Promise<void> {
  link.down();
  await delay(DOWN_MS);
  link.up();
}

describe('a link that loses a tenth of its packets for a minute, and is down for 3 s of it', () => {
  it('costs neither a connection nor a message', { timeout: TIMEOUT_MS }, async () => {
    const link = new LossyLink();
    const chaos = start(link, SECONDS);
    await chaos.says('open');

    link.lose(LOSS);
    await delay((SECONDS / 2) * 1_000);
    await interrupt(link);
    const report = await chaos.result<Report>();

    expect(report).toMatchObject({ losses: 0, closed: 0, gaps: 0, recovered: 0, violations: [], code: 0 });
    expect(report.deliveries).toBeGreaterThan(5_000);
    expect(report.effects).toBeGreaterThan(1_000);
    for (const lost of link.lost) expect(lost).toBeGreaterThan(500);
  });
});

describe('a link that is down for longer than server and clients wait', () => {
  it('costs every connection, so that the test above can fail', { timeout: TIMEOUT_MS }, async () => {
    const link = new LossyLink();
    const options = { heartbeatIntervalMs: 300, heartbeatTimeoutMs: 1_000, clientTimeoutMs: 1_200 };
    const chaos = start(link, 5, options);
    await chaos.says('open');

    await interrupt(link);
    const report = await chaos.result<Report>();

    expect(report.losses).toBeGreaterThanOrEqual(20);
    expect(report.closed).toBeGreaterThanOrEqual(20);
    expect(report.violations).toEqual([]);
  });
});
