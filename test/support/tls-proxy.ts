import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificate.js';
import { freePort } from './free-port.js';

export const TLS_PROXIES = ['nginx', 'haproxy'] as const;

const START_MS = 10_000;

/** A proxy that ends TLS in front of a server, as docs/operations.md configures it. It ends with the test. */
export async function startTlsProxy(
  program: (typeof TLS_PROXIES)[number],
  certificate: Certificate,
  target: number,
): Promise<number> {
  const port = await freePort();
  const config = join(certificate.folder, `${program}.conf`);
  writeFileSync(
    config,
    program === 'nginx' ? nginx(certificate, port, target) : haproxy(certificate, port, target),
  );
  const args = program === 'nginx' ? ['-c', config, '-p', `${certificate.folder}/`] : ['-db', '-f', config];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const deadline = performance.now() + START_MS;
  while (!(await listens(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${program}: ${said}`);
    await sleep(20);
  }
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function nginx({ keyFile, certFile, folder }: Certificate, port: number, target: number): string {
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path temp-${name};`,
  );
  return `daemon off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temps.join('\n  ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    location / {
      proxy_pass http://127.0.0.1:${target};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
}

function haproxy({ bundleFile }: Certificate, port: number, target: number): string {
  return `defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option forwardfor
listen tls
  bind 127.0.0.1:${port} ssl crt ${bundleFile}
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  server node 127.0.0.1:${target}
`;
}
