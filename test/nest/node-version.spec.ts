import { Test } from '@nestjs/testing';
import { ChannelsModule } from 'nestjs-channels';
import { describe, expect, it, onTestFinished } from 'vitest';
import { adviceOnNode } from '../../lib/nest/node-version.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { readManifest } from '../support/repository.js';

const ADVICE = 'install Node 24 or later, 22.12 or a later 22, or 20.19 or a later 20.';

/** Makes this process one on another Node. */
function runOn(version: string): void {
  const real = Object.getOwnPropertyDescriptor(process, 'version') as PropertyDescriptor;
  Object.defineProperty(process, 'version', { ...real, value: version });
  onTestFinished(() => void Object.defineProperty(process, 'version', real));
}

async function warningsOfStart(): Promise<readonly string[]> {
  const logger = new RecordingLogger();
  const module = Test.createTestingModule({ imports: [ChannelsModule.forRoot()] });
  module.setLogger(logger);
  const app = (await module.compile()).createNestApplication({ logger });
  await app.init();
  await app.close();
  return logger.warnings;
}

describe('Node', () => {
  it.each(['v20.19.0', 'v20.20.2', 'v22.12.0', 'v24.0.0', 'v25.1.0', 'v30.0.0'])(
    '%s is supported',
    (version) => {
      expect(adviceOnNode(version)).toBeUndefined();
    },
  );

  it.each(['v18.20.8', 'v20.18.3', 'v21.7.0', 'v22.11.0', 'v23.11.0'])('%s is not', (version) => {
    expect(adviceOnNode(version)).toBe(`Node ${version} is not supported: ${ADVICE}`);
  });

  it('is what engines tells npm', () => {
    expect(readManifest().engines.node).toBe('^20.19.0 || ^22.12.0 || >=24');
  });

  it('is looked at when the application starts', async () => {
    runOn('v20.18.3');

    expect(await warningsOfStart()).toContain(`Node v20.18.3 is not supported: ${ADVICE}`);
  });

  it('is not mentioned where it is supported', async () => {
    expect(await warningsOfStart()).toEqual([]);
  });
});
