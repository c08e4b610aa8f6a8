import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { ClusterProcess } from './cluster-rig.js';
import { temporaryFolder } from './sample-process.js';

/** Text of a token that no other text has. */
const CANARY = 'cAnArY0123456789cAnArY';
const ENCODED = Buffer.from(CANARY).toString('base64url');
/** In a path, which a log may have. */
const MARK = 'mArK0123456789';

beforeAll(ensureBuilt, 120_000);

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ann' }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** What nginx has written into the folder of its files; nothing for another proxy, which says it. */
function accessLog(temporary: string): string {
  const folders = readdirSync(temporary).map((folder) => join(temporary, folder, 'access.log'));
  return folders
    .filter(existsSync)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

describe.each(['nginx', 'haproxy'])('the logs of sample/03-chat-cluster behind %s', (proxy) => {
  it('have no token and no clientId, however they come', async () => {
    const temporary = temporaryFolder();
    const cluster = await ClusterProcess.start({ proxy, env: { TMPDIR: temporary } });
    const told = (): string => [...cluster.said, accessLog(temporary)].join('\n');
    const http = `http://127.0.0.1:${cluster.port}`;
    const ws = http.replace('http', 'ws');
    const token = await logIn(http);
    const connect = async (options: object, path = '/ws'): Promise<TestClient | undefined> => {
      const client = await TestClient.connect(ws + path, { origin: http, ...options }).catch(() => undefined);
      onTestFinished(() => client?.terminate());
      return client;
    };

    for (const path of ['/ws', `/ws?token=${CANARY}`]) {
      for (const options of [
        { token: CANARY },
        { bearer: CANARY },
        { headers: { cookie: `session=${CANARY}` } },
        { protocols: ['nestjs-channels.v1.json', `nestjs-channels.bearer.${CANARY}`] },
      ]) {
        await connect(options, path);
      }
    }
    const client = await connect({ token });
    await client?.hello({ clientId: CANARY });
    const refused = await client?.request('$refresh', { token: CANARY });
    client?.sendRaw(`{"event":"$refresh","id":1,"data":{"token":"${CANARY}`);
    await client?.waitFor({ event: 'exception' });
    await connect({}, `/${MARK}`);
    // The proxy writes a connection down when it has ended.
    await client?.close();
    await expect.poll(told, { timeout: 10_000 }).toContain(MARK);
    await expect.poll(told, { timeout: 10_000 }).toMatch(/"GET \/ws" 101$/m);

    const said = told();
    const tokens = [token, token.split('.')[2] ?? token];
    expect(refused?.error).toMatchObject({ code: 'unauthorized' });
    for (const secret of [CANARY, ENCODED, ...tokens]) expect(said).not.toContain(secret);
  }, 120_000);
});
