import { get as httpGet } from 'node:http';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { RequestMethod, VersioningType, type INestApplication } from '@nestjs/common';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import { map } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HTTP_FRAMEWORKS } from '../support/http-frameworks.js';
import { startApp } from '../support/start-app.js';
import { CHANNEL, openInspector, OPERATOR, startInspected } from './operators.js';

const PATHS = ['/inspector', '/inspector/inspector.js', '/inspector/inspector.css'];

/** Sees to it that what a method returns is wrapped, as many applications do. */
@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** `fetch` writes the Host itself. */
function statusBy(host: string, port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpGet({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
  });
}

afterEach(() => vi.unstubAllEnvs());

describe.each(HTTP_FRAMEWORKS)('the inspector on %s', (_name, httpAdapter) => {
  const start = (configure?: (nest: INestApplication) => void) => startInspected({ httpAdapter, configure });
  const get = (port: number, path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers });

  it.each(PATHS)('shows nothing at %s without the consent of its guard', async (path) => {
    const app = await start();

    const refused = await get(app.port, path);

    expect(refused.status).toBe(401);
    expect(await refused.json()).toEqual({ message: 'Unauthorized', statusCode: 401 });
  });

  it('closes a socket without the consent of its guard before anything can be asked', async () => {
    const app = await start();
    const stranger = await app.connect('/inspector/ws');
    const operator = await openInspector(app);
    await operator.subscribe(CHANNEL);

    const { code } = await stranger.closed;

    expect(code).toBe(4501);
    expect(stranger.frames).toEqual([]);
  });

  it.each([
    ['/inspector', 'text/html; charset=utf-8', '<!doctype html>'],
    ['/inspector/inspector.js', 'text/javascript; charset=utf-8', '/*! uPlot'],
    ['/inspector/inspector.css', 'text/css; charset=utf-8', '/*! uPlot'],
  ])('serves %s to an operator, with headers that let nothing else in', async (path, type, begin) => {
    const app = await start();

    const served = await get(app.port, path, OPERATOR);

    expect(served.status).toBe(200);
    expect((await served.text()).startsWith(begin)).toBe(true);
    expect(served.headers.get('content-type')).toBe(type);
    expect(served.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(Object.fromEntries(served.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });

  it('is found behind a prefix of routes, versions and interceptors that wrap answers', async () => {
    const app = await start((nest) => {
      nest.setGlobalPrefix('api', { exclude: [{ path: 'health', method: RequestMethod.GET }] });
      nest.enableVersioning({ type: VersioningType.URI });
      nest.useGlobalInterceptors(new Envelope());
    });

    const served = await get(app.port, '/api/inspector', OPERATOR);
    const script = await get(app.port, '/api/inspector/inspector.js', OPERATOR);

    const page = await served.text();
    expect(page).toMatch(/^<!doctype html>/);
    // From /api/inspector these are /api/inspector/inspector.js and /inspector/ws.
    expect(page).toContain('src="inspector/inspector.js"');
    expect(page).toContain('data-socket="../inspector/ws"');
    expect(script.status).toBe(200);
  });

  it('takes pages of its own host only, also where the application lets others in', async () => {
    const app = await startInspected({
      httpAdapter,
      channels: { allowedOrigins: ['https://app.example.com', 'http://localhost'] },
    });
    const connect = (origin: string) =>
      app.connect('/inspector/ws', { protocols: [], headers: OPERATOR, origin });

    await expect(connect('https://app.example.com')).rejects.toMatchObject({ statusCode: 403 });
    await expect(connect('https://evil.example.com')).rejects.toMatchObject({ statusCode: 403 });
    // Of its own host, and not in the list: the guard that is always on stays on.
    await expect(connect(`http://127.0.0.1:${app.port}`)).rejects.toMatchObject({ statusCode: 403 });
  });

  it.each([
    'rebound.example.com',
    'localhost.example.com:80',
    '127.0.0.1.example.com',
    '[::1].example.com',
    'x',
  ])('without guards is nowhere to be found by the name %s', async (host) => {
    vi.stubEnv('NODE_ENV', 'development');
    const app = await startApp({ httpAdapter, imports: [ChannelsInspectorModule.forRoot()] });

    const statuses = await Promise.all(PATHS.map((path) => statusBy(host, app.port, path)));
    const socket = app.connect('/inspector/ws', {
      protocols: [],
      headers: { host },
      origin: `http://${host}`,
    });

    expect(statuses).toEqual(PATHS.map(() => 403));
    await expect(socket).rejects.toMatchObject({ statusCode: 403 });
  });

  it.each(['localhost', 'LOCALHOST:80', '127.0.0.1:3000', '[::1]:3000', '192.0.2.7'])(
    'without guards is found by %s',
    async (host) => {
      vi.stubEnv('NODE_ENV', 'development');
      const app = await startApp({ httpAdapter, imports: [ChannelsInspectorModule.forRoot()] });

      const socket = await app.connect('/inspector/ws', { headers: { host } });

      expect(await statusBy(host, app.port, '/inspector')).toBe(200);
      expect(await socket.subscribe(CHANNEL)).not.toHaveProperty('error');
    },
  );

  it('takes a page of its own host', async () => {
    const app = await start();

    const socket = await app.connect('/inspector/ws', {
      headers: OPERATOR,
      origin: `http://127.0.0.1:${app.port}`,
    });

    expect(await socket.subscribe(CHANNEL)).not.toHaveProperty('error');
  });
});
