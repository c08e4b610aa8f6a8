import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a configuration file of this sample into a folder, with these ports. */
export function fillTemplate(
  template: string,
  folder: string,
  ports: Readonly<Record<string, number>>,
): void {
  const text = readFileSync(new URL(template, import.meta.url), 'utf8');
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, port: string) => String(ports[port]));
  writeFileSync(join(folder, template), filled);
}
