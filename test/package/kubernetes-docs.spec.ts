import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { resolveOptions } from '../../lib/core/options.js';
import { extractBlocks } from '../support/docs-blocks.js';
import { ROOT } from '../support/repository.js';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

interface Container {
  readonly ports: readonly { readonly name: string }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

/**
 * What a shutdown takes behind `drainWindowMs` and `shutdownTimeoutMs`, whichever is longer: closes and
 * `handleDisconnect`, and half a second for a Redis that is silent. See docs/operations.md, "Shutting down".
 */
const GRACE_SECONDS = 2;

/** For how long a delay of the event loop is told. */
const WINDOW_SECONDS = 10;

const operations = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

function podOf(markdown: string): Pod {
  const { blocks } = extractBlocks('docs/operations.md', markdown);
  const manifest = blocks.find(({ language }) => language === 'yaml')?.code ?? '';
  const { spec } = parse(manifest) as { spec: { template: { spec: Pod } } };
  return spec.template.spec;
}

describe('the manifest in docs/operations.md', () => {
  const pod = podOf(operations);
  const [container] = pod.containers;

  it('gives a shutdown the time that it takes with the defaults, behind preStop', () => {
    const { seconds } = container.lifecycle.preStop.sleep;
    const { drainWindowMs, shutdownTimeoutMs } = resolveOptions({});
    const shutdownSeconds = Math.max(drainWindowMs, shutdownTimeoutMs) / 1_000 + GRACE_SECONDS;

    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(seconds + shutdownSeconds);
  });

  // Whoever raised only the window by this text had pods that were killed in the middle of it.
  it('says of which options the grace period has to be made, and what comes on top', () => {
    const bullet = /^- \*\*`terminationGracePeriodSeconds`\*\*.*$/m.exec(operations)?.[0] ?? '';

    expect(bullet).toContain('`drainWindowMs` or `shutdownTimeoutMs`, whichever is longer');
    expect(bullet).toContain(`and ${GRACE_SECONDS} s`);
  });

  it('asks for readiness and liveness at routes of their own, which the controller above it has', () => {
    const paths = [container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet.path);
    const controller = /@Controller\('health'\)[^]*?\n\}/.exec(operations)?.[0] ?? '';

    expect(paths).toEqual(['/health', '/health/live']);
    expect(controller).toMatch(/@Get\(\)[^]*isReady[^]*@Get\('live'\)[^]*isLive/);
    expect(container.startupProbe.httpGet).toEqual(container.livenessProbe.httpGet);
  });

  it('asks at a port that it names', () => {
    const { ports, startupProbe, readinessProbe, livenessProbe } = container;

    for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe])
      expect(ports.map(({ name }) => name)).toContain(httpGet.port);
  });

  it('ends no process for one delay of the event loop, which is told for ten seconds', () => {
    const { periodSeconds, failureThreshold } = container.livenessProbe;

    expect(periodSeconds * (failureThreshold - 1)).toBeGreaterThan(WINDOW_SECONDS);
  });
});
