import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/**
 * Two network namespaces with a link between them, which go with the test. Needs root, and of the system
 * `ip` and `iptables`.
 */
export class LossyLink {
  static #count = 0;
  readonly #index = LossyLink.#count++;
  readonly serverNamespace = this.#name('s');
  readonly clientNamespace = this.#name('c');
  readonly host = '10.201.0.1';
  readonly #ends = { server: this.#name('vs'), client: this.#name('vc') };

  constructor() {
    onTestFinished(() => this.#remove());
    const { serverNamespace, clientNamespace } = this;
    const { server, client } = this.#ends;
    ip('netns', 'add', serverNamespace);
    ip('netns', 'add', clientNamespace);
    // Each end is made where it belongs: names of another test, or of the system, cannot be in the way.
    ip(
      '-n',
      serverNamespace,
      'link',
      'add',
      server,
      'type',
      'veth',
      'peer',
      client,
      'netns',
      clientNamespace,
    );
    ip('-n', serverNamespace, 'addr', 'add', `${this.host}/24`, 'dev', server);
    ip('-n', clientNamespace, 'addr', 'add', '10.201.0.2/24', 'dev', client);
    for (const device of ['lo', server]) ip('-n', serverNamespace, 'link', 'set', device, 'up');
    for (const device of ['lo', client]) ip('-n', clientNamespace, 'link', 'set', device, 'up');
  }

  /** From now on each packet is lost with this probability, in both directions. */
  lose(probability: number): void {
    for (const namespace of [this.serverNamespace, this.clientNamespace]) {
      const rule = ['-p', 'tcp', '-m', 'statistic', '--mode', 'random', '--probability', String(probability)];
      iptables(namespace, '-A', 'INPUT', ...rule, '-j', 'DROP');
    }
  }

  /** How many packets each end has lost. */
  get lost(): number[] {
    return [this.serverNamespace, this.clientNamespace].map((namespace) => {
      const rule = iptables(namespace, '-L', 'INPUT', '-v', '-x', '-n').split('\n')[2];
      return Number(rule?.trim().split(/\s+/)[0]);
    });
  }

  down(): void {
    ip('-n', this.clientNamespace, 'link', 'set', this.#ends.client, 'down');
  }

  up(): void {
    ip('-n', this.clientNamespace, 'link', 'set', this.#ends.client, 'up');
  }

  #name(part: string): string {
    return `nc${part}${process.pid}-${this.#index}`;
  }

  #remove(): void {
    const left = ip('netns', 'list');
    for (const namespace of [this.serverNamespace, this.clientNamespace]) {
      if (left.includes(namespace)) ip('netns', 'delete', namespace);
    }
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

function iptables(namespace: string, ...args: string[]): string {
  return ip('netns', 'exec', namespace, 'iptables', ...args);
}
