import { fillTemplate } from './template.js';

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
  fillTemplate(template, folder, ports);
  return command;
}
