import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { Deferred } from '../deferred.js';

const SWITCHED = '+switch-master';

/** A sentinel that says what the test wants, when the test wants it. */
export class ScriptedSentinel {
  /** How often it has named the master. */
  told = 0;
  /** The name that it knows a master by. */
  readonly name = 'channels';
  readonly host = '127.0.0.1';
  readonly #listeners = new Set<Socket>();
  #held: Socket[] | undefined;
  #asked = new Deferred();

  private constructor(
    private readonly server: Server,
    /** The port of the one that it calls the master. */
    public master: number,
  ) {
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(master: number): Promise<ScriptedSentinel> {
    const server = createServer();
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return new ScriptedSentinel(server, master);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many listen for the news of a failover. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Leaves who asks for the master without an answer until {@link release}; resolves when somebody has asked. */
  hold(): Promise<void> {
    this.#held = [];
    this.#asked = new Deferred();
    return this.#asked.promise;
  }

  release(): void {
    for (const socket of this.#held ?? []) this.#tellMaster(socket);
    this.#held = undefined;
  }

  /** Tells of a failover; resolves when all who listened to it have hung up. */
  async tellFailover(): Promise<void> {
    const listeners = [...this.#listeners];
    const news = array(['message', SWITCHED, `${this.name} 127.0.0.1 1 127.0.0.1 ${this.master}`]);
    await Promise.all(
      listeners.map(async (socket) => {
        const closed = once(socket, 'close');
        socket.write(news);
        await closed;
      }),
    );
  }

  #serve(socket: Socket): void {
    let text = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#listeners.delete(socket));
    socket.on('data', (chunk) => {
      const { commands, rest } = parse(text + String(chunk));
      text = rest;
      for (const command of commands) this.#answer(socket, command);
    });
  }

  #answer(socket: Socket, [name = '', what = '']: readonly string[]): void {
    const asked = `${name} ${what}`.toLowerCase();
    if (asked === 'sentinel get-master-addr-by-name') {
      if (!this.#held) return this.#tellMaster(socket);
      this.#held.push(socket);
      this.#asked.resolve();
      return;
    }
    if (asked === `subscribe ${SWITCHED}`) {
      this.#listeners.add(socket);
      socket.write(`*3\r\n$9\r\nsubscribe\r\n$${SWITCHED.length}\r\n${SWITCHED}\r\n:1\r\n`);
      return;
    }
    // It speaks as Redis did before HELLO, and knows no other sentinels.
    if (asked.startsWith('hello')) socket.write("-ERR unknown command 'HELLO'\r\n");
    else socket.write(asked === 'sentinel sentinels' ? '*0\r\n' : '+OK\r\n');
  }

  #tellMaster(socket: Socket): void {
    this.told++;
    socket.write(array([this.host, String(this.master)]));
  }
}

function array(items: readonly string[]): string {
  return `*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join('')}`;
}

/** Whole commands, none of which has a line break in it. */
function parse(text: string): { commands: string[][]; rest: string } {
  const lines = text.split('\r\n');
  const commands: string[][] = [];
  let at = 0;
  for (;;) {
    const count = Number(lines[at]?.slice(1));
    const end = at + 1 + 2 * count;
    if (!(count > 0) || end >= lines.length) return { commands, rest: lines.slice(at).join('\r\n') };
    commands.push(Array.from({ length: count }, (_, item) => lines[at + 2 + 2 * item] ?? ''));
    at = end;
  }
}
