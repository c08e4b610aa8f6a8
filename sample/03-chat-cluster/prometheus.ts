import { fillTemplate } from './template.js';

/** Writes down which nodes are scraped. Returns the command that runs Prometheus in this folder, at the port `PORT`. */
export function preparePrometheus(
  folder: string,
  ports: Readonly<Record<string, number>>,
): readonly string[] {
  fillTemplate('prometheus.yml', folder, ports);
  const { PORT } = ports;
  return [
    'prometheus',
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=prometheus',
    `--web.listen-address=127.0.0.1:${PORT}`,
  ];
}
