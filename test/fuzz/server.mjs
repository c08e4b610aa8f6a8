import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The process of `node.mjs`. */
export class Server {
  /** What reached its process, or was reported as a failure of its application. */
  faults = [];
  #child;

  static async start(packageUrl, bug) {
    const server = new Server();
    const script = fileURLToPath(new URL('./node.mjs', import.meta.url));
    server.#child = spawn(process.execPath, ['--no-warnings', script, packageUrl, bug], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    server.#child.on('message', ({ type, text }) => type === 'fault' && server.faults.push(text));
    server.#child.on('exit', (code, signal) => server.faults.push(`the server has ended: ${signal ?? code}`));
    ({ port: server.port } = await server.#message('listening'));
    return server;
  }

  /** Memory that it has, and the most that it has had since {@link forgetPeak}, in MB. */
  get memory() {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const mb = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1_024;
    return { nowMb: mb('VmRSS'), peakMb: mb('VmHWM') };
  }

  forgetPeak() {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5');
  }

  get hasFailed() {
    return this.faults.length > 0;
  }

  /** How many connections it has, and how much memory. */
  async count() {
    if (!this.#child.connected) return { connections: 0, rssMb: 0 };
    this.#child.send('count');
    return this.#message('counted');
  }

  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #message(type) {
    for (;;) {
      const [message] = await Promise.race([once(this.#child, 'message'), once(this.#child, 'exit')]);
      if (message?.type === type) return message;
      if (typeof message !== 'object') return { connections: 0, rssMb: 0 };
    }
  }
}
