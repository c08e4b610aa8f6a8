import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHostile } from '../support/hostile-rig.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { ROOT } from '../support/repository.js';

interface Dependencies {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly packages: Readonly<Record<string, { readonly version: string }>>;
}

const read = (path: string): Dependencies =>
  JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Dependencies;

/** The first of ws that ends a connection which pings and never reads: see docs/security.md. */
const FLOOR = [8, 23, 0] as const;

function isAtLeastFloor(version: string): boolean {
  const parts = version.split('.').map(Number);
  const at = FLOOR.findIndex((least, index) => parts[index] !== least);
  return at === -1 || (parts[at] as number) > (FLOOR[at] as number);
}

describe('ws', () => {
  it('is the only thing that is installed, as a range from the floor on', () => {
    const { dependencies, peerDependencies } = read('package.json');

    expect(dependencies).toEqual({ ws: `^${FLOOR.join('.')}` });
    expect(peerDependencies).not.toHaveProperty('ws');
  });

  it('resolves to the floor or later, whatever @nestjs/platform-ws has', () => {
    const lib = createRequire(join(ROOT, 'lib/transport/ws/web-socket-server.ts'));
    const { version } = lib('ws/package.json') as { version: string };

    expect(isAtLeastFloor(version)).toBe(true);
    expect(read('package-lock.json').packages['node_modules/ws']?.version).toSatisfy(isAtLeastFloor);
  });

  it.each([
    ['8.22.9', false],
    ['8.23.0', true],
    ['8.24.0', true],
    ['9.0.0', true],
    ['7.99.99', false],
  ])('is compared as versions are: %s', (version, isEnough) => {
    expect(isAtLeastFloor(version)).toBe(isEnough);
  });
});

describe('compression', () => {
  const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };

  async function headFor(channels?: Parameters<typeof startHostile>[0]): Promise<string> {
    const { app } = await startHostile(channels);
    const socket = await RawSocket.connect(app.port);
    socket.write(upgradeRequest('/ws', offer));
    await socket.until(() => socket.response.head !== '');
    return socket.response.head;
  }

  it('is not accepted by default, where a client offers it', async () => {
    const head = await headFor();

    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).not.toMatch(/sec-websocket-extensions/i);
  });

  it('is accepted where the application has switched it on', async () => {
    expect(await headFor({ server: { perMessageDeflate: true } })).toMatch(
      /sec-websocket-extensions: permessage-deflate/i,
    );
  });
});
