import { WebSocketGateway } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../support/guarded-gateway.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class Gateway extends WhoamiGateway {}

const APP = 'https://app.example.com';
const LISTED = [APP, 'http://localhost:5173', 'https://xn--bcher-kva.example', 'https://[2001:db8::1]:8443'];

/** Header lines of `Origin`, with what they are, and whether they pass. */
const MATRIX: readonly (readonly [string, readonly string[], boolean])[] = [
  ['the first of the list', [APP], true],
  ['the second', ['http://localhost:5173'], true],
  ['the third, in punycode', ['https://xn--bcher-kva.example'], true],
  ['the fourth, an address', ['https://[2001:db8::1]:8443'], true],
  ['with white space around it, which is none of the value', [`  ${APP}\t `], true],
  ['null, of a sandbox', ['null'], false],
  ['nothing', [''], false],
  ['a star', ['*'], false],
  ['the scheme of HTTP', ['http://app.example.com'], false],
  ['the scheme of sockets', ['wss://app.example.com'], false],
  ['an extension', ['chrome-extension://app.example.com'], false],
  ['no scheme', ['app.example.com'], false],
  ['no host', ['https://'], false],
  ['a file', ['file://'], false],
  ['another port', [`${APP}:8443`], false],
  ['the port that the scheme implies', [`${APP}:443`], false],
  ['the listed one without its port', ['http://localhost'], false],
  ['upper case', ['https://APP.example.com'], false],
  ['upper case of the scheme', ['HTTPS://app.example.com'], false],
  ['a dot behind it', [`${APP}.`], false],
  ['a slash behind it', [`${APP}/`], false],
  ['a path', [`${APP}/chat`], false],
  ['a query', [`${APP}?`], false],
  ['it as a prefix of another', [`${APP}.evil.test`], false],
  ['it as a suffix of another', ['https://evilapp.example.com'], false],
  ['a subdomain', ['https://evil.app.example.com'], false],
  ['the parent domain', ['https://example.com'], false],
  ['another top level', ['https://app.example.co'], false],
  ['it as a user', [`${APP}@evil.test`], false],
  ['a user in front', ['https://user@app.example.com'], false],
  ['it as a user with a password', ['https://app.example.com:443@evil.test'], false],
  ['a backslash', [`${APP}\\.evil.test`], false],
  ['it percent-encoded', ['https://app%2eexample.com'], false],
  ['a letter that looks the same', ['https://\u0430pp.example.com'], false],
  ['the listed punycode decoded', ['https://bücher.example'], false],
  ['full-width letters', ['https://ａｐｐ.example.com'], false],
  ['an invisible character', ['https://app.example.com\u200b'], false],
  ['a list of it and another', [`${APP} https://evil.test`], false],
  ['a list with a comma', [`${APP}, https://evil.test`], false],
  ['it and another in two headers', [APP, 'https://evil.test'], false],
  ['another and it in two headers', ['https://evil.test', APP], false],
  ['it twice', [APP, APP], false],
  ['the address written out', ['https://[2001:db8:0:0:0:0:0:1]:8443'], false],
  ['the address of the server', ['http://127.0.0.1'], false],
  ['the name of a property', ['constructor'], false],
];

/** The status of an upgrade with these lines. */
async function statusOf(port: number, origins: readonly string[], host: string): Promise<number> {
  const socket = await RawSocket.connect(port);
  const lines = origins.map((origin) => `Origin: ${origin}\r\n`).join('');
  const request = upgradeRequest('/ws', { Host: host }).replace('\r\nConnection', `\r\n${lines}Connection`);
  socket.write(Buffer.from(request, 'utf8'));
  await socket.until(() => socket.response.head !== '');
  return Number(socket.response.head.split(' ')[1]);
}

describe('allowedOrigins, in real upgrades', () => {
  it('lets exactly the listed ones in', { timeout: 60_000 }, async () => {
    const app = await startApp({ providers: [Gateway], channels: { allowedOrigins: LISTED } });

    const outcomes = await Promise.all(
      MATRIX.map(async ([what, origins]) => [
        what,
        await statusOf(app.port, origins, `127.0.0.1:${app.port}`),
      ]),
    );

    expect(outcomes).toEqual(MATRIX.map(([what, , passes]) => [what, passes ? 101 : 403]));
  });

  it('unset, lets only the own host in, whatever the others look like', { timeout: 60_000 }, async () => {
    const app = await startApp({ providers: [Gateway] });

    const outcomes = await Promise.all(
      MATRIX.map(async ([what, origins]) => [what, await statusOf(app.port, origins, 'app.example.com')]),
    );

    // The host has no case, and the scheme and its port are the browser's: the rest is another host.
    const own = [
      'the first of the list',
      'with white space around it, which is none of the value',
      'the scheme of HTTP',
    ];
    const same = [...own, 'the port that the scheme implies', 'upper case', 'upper case of the scheme'];
    const passing = outcomes.filter(([, status]) => status === 101).map(([what]) => what);
    expect(passing.toSorted()).toEqual(same.toSorted());
  });

  it('lets programs in, which send none', async () => {
    const app = await startApp({ providers: [Gateway], channels: { allowedOrigins: LISTED } });

    expect(await statusOf(app.port, [], '127.0.0.1')).toBe(101);
  });
});
