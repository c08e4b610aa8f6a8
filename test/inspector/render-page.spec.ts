import { expect, it } from 'vitest';
import { renderPage } from '../../lib/inspector/render-page.js';

/** Where a browser looks for what the page names. */
function addresses(at: string, url = at): { script: string; style: string; socket: string } {
  const page = renderPage(url, '/ops/inspector/ws');
  const resolve = (pattern: RegExp): string => {
    const [, address = ''] = pattern.exec(page) ?? [];
    return new URL(address, `http://host${at}`).pathname;
  };
  return {
    script: resolve(/<script type="module" src="([^"]*)"/),
    style: resolve(/<link rel="stylesheet" href="([^"]*)"/),
    socket: resolve(/data-socket="([^"]*)"/),
  };
}

it.each(['/ops/inspector', '/ops/inspector/', '/ops/inspector?a=/b/c'])('finds everything from %s', (url) => {
  expect(addresses(url)).toEqual({
    script: '/ops/inspector/inspector.js',
    style: '/ops/inspector/inspector.css',
    socket: '/ops/inspector/ws',
  });
});

it('finds the socket, which has no prefix, from routes that have one', () => {
  expect(addresses('/api/v1/ops/inspector')).toEqual({
    script: '/api/v1/ops/inspector/inspector.js',
    style: '/api/v1/ops/inspector/inspector.css',
    socket: '/ops/inspector/ws',
  });
});

it('finds everything behind a proxy that takes the beginning of the path away', () => {
  expect(addresses('/team/ops/inspector', '/ops/inspector')).toEqual({
    script: '/team/ops/inspector/inspector.js',
    style: '/team/ops/inspector/inspector.css',
    socket: '/team/ops/inspector/ws',
  });
});

it('puts nothing of the request into the page', () => {
  const page = renderPage('/ops/inspector/"><script>hostile(1)</script>?"><script>', '/ops/inspector/ws');

  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toContain('hostile');
});
