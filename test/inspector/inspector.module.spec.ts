import { Injectable, Module } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import { HandshakeRefused } from 'nestjs-channels/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Bus } from '../support/bus-broker.js';
import { startApp } from '../support/start-app.js';
import { CHANNEL, openInspector, OPERATOR, OperatorGuard, startInspected } from './operators.js';

afterEach(() => vi.unstubAllEnvs());

const get = (port: number, path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);

describe('ChannelsInspectorModule', () => {
  it.each([undefined, 'test', 'production', 'Development'])(
    'does not start without a guard where NODE_ENV is %s',
    (environment) => {
      vi.stubEnv('NODE_ENV', environment);

      expect(() => ChannelsInspectorModule.forRoot()).toThrow(
        'guards ([]) must name who may look at the inspector, and disconnect: guards: [OperatorGuard]. ' +
          'With NODE_ENV=development it starts without one.',
      );
    },
  );

  it('lets anybody look without a guard in development', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const app = await startApp({ imports: [ChannelsInspectorModule.forRoot()] });

    const page = await get(app.port, '/inspector');
    const socket = await app.connect('/inspector/ws');

    expect(page.status).toBe(200);
    expect(await socket.subscribe(CHANNEL)).not.toHaveProperty('error');
  });

  it.each([
    '',
    '/',
    'a b',
    ':tenant',
    'a//b',
    '"><script>',
    '../up?x',
    '../up',
    'up/..',
    './up',
    'a/../b',
    '.',
  ])('refuses the path %j', (path) => {
    expect(() => ChannelsInspectorModule.forRoot({ path, guards: [OperatorGuard] })).toThrow(
      `path (${JSON.stringify(path)}) must be segments of [A-Za-z0-9_.~-] other than . and .., such as 'ops/inspector'.`,
    );
  });

  it.each(['.well-known/inspector', 'a..b', '...', 'a/..b/'])('takes dots within segments: %j', (path) => {
    expect(() => ChannelsInspectorModule.forRoot({ path, guards: [OperatorGuard] })).not.toThrow();
  });

  it.each(['ops/inspector', '/ops/inspector/'])('serves page and socket at %s', async (path) => {
    const app = await startApp({
      imports: [ChannelsInspectorModule.forRoot({ path, guards: [OperatorGuard] })],
    });

    const page = await fetch(`http://127.0.0.1:${app.port}/ops/inspector`, { headers: OPERATOR });
    const socket = await app.connect('/ops/inspector/ws', { headers: OPERATOR });

    expect(await page.text()).toContain('data-socket="../ops/inspector/ws"');
    expect((await socket.request('inspector.connections', {})).data).toMatchObject({ more: false });
  });

  it('gives its guards what its imports export', async () => {
    @Injectable()
    class Passwords {
      readonly known = OPERATOR.authorization;
    }

    @Module({ providers: [Passwords], exports: [Passwords] })
    class PasswordsModule {}

    @Injectable()
    class InjectedGuard extends OperatorGuard {
      constructor(readonly passwords: Passwords) {
        super();
      }
    }

    const inspector = ChannelsInspectorModule.forRoot({
      guards: [InjectedGuard],
      imports: [PasswordsModule],
    });
    const app = await startApp({ imports: [inspector] });

    const stranger = await app.connect('/inspector/ws');
    const operator = await openInspector(app);

    expect((await stranger.closed).code).toBe(4501);
    expect(await operator.subscribe(CHANNEL)).not.toHaveProperty('error');
  });

  it('keeps its figures from peers of a node without it, whose pattern takes any name', async () => {
    const bus = new Bus();

    @WebSocketGateway({ path: '/open' })
    @UseHandshakeGuards()
    class OpenGateway {
      @SubscribeChannel('{tenant}:{kind}:{id}')
      join(): void {}
    }
    const admin = await startInspected({ channels: { broker: bus.node() } });
    const open = await startApp({ channels: { broker: bus.node() }, providers: [OpenGateway] });
    const operator = await openInspector(admin);
    const peer = await open.connect('/open');

    const own = await operator.subscribe(CHANNEL);
    const refused = await peer.subscribe(CHANNEL);
    const other = await peer.subscribe('acme:room:1');

    expect(own).not.toHaveProperty('error');
    expect(refused).toMatchObject({ error: { code: 'unknown_channel' } });
    expect(other).not.toHaveProperty('error');
  });

  it('keeps the channel of its figures from peers of other gateways', async () => {
    const app = await startInspected();
    const peer = await app.connect('/ws');

    const answer = await peer.subscribe(CHANNEL);

    expect(answer).toMatchObject({ error: { code: 'unknown_channel' } });
  });

  it('refuses a plain peer without consent by HTTP', async () => {
    const app = await startInspected();

    const refused = app.connect('/inspector/ws', { protocols: [] });

    await expect(refused).rejects.toThrow(HandshakeRefused);
    await expect(refused).rejects.toMatchObject({ statusCode: 401 });
  });
});
