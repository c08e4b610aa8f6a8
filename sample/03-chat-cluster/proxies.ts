import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PROXIES = {
  nginx: { template: 'nginx.conf', command: ['nginx', '-e', 'stderr', '-p', '.', '-c', 'nginx.conf'] },
  haproxy: { template: 'haproxy.cfg', command: ['haproxy', '-db', '-f', 'haproxy.cfg'] },
} as const;

export type ProxyName = keyof typeof PROXIES;

export function proxyNamed(name: string): ProxyName {
  if (name === 'nginx' || name === 'haproxy') return name;
  throw new Error(`--proxy ${name}: there are nginx and haproxy.`);
}

/** Writes the configuration of a proxy into a folder, with these ports. Returns the command that runs it there. */
export function prepareProxy(
  name: ProxyName,
  folder: string,
  ports: Readonly<Record<string, number>>,
): readonly string[] {
  const { template, command } = PROXIES[name];
  const text = readFileSync(new URL(template, import.meta.url), 'utf8');
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, port: string) => String(ports[port]));
  writeFileSync(join(folder, template), filled);
  return command;
}
