import { eventually } from './eventually.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';

const REPLICAS = 2;
const SENTINELS = 3;
const QUORUM = 2;

/** After the death of the master: it is found dead, a sentinel is voted for, and one more try where the vote was split. */
const FAILOVER_TIMEOUT_MS = 30_000;

/** A master with two replicas, watched by three sentinels. */
export class RedisSentinels {
  /** What a client calls the master. */
  readonly name = 'channels';

  private constructor(
    readonly servers: readonly RedisServer[],
    readonly sentinels: readonly RedisServer[],
  ) {}

  /** Resolves when the sentinels know each other and the replicas, and no replica lags behind. */
  static async start(options: RedisServerOptions = {}): Promise<RedisSentinels> {
    // Else the first copy to a replica waits five seconds for others.
    const config = { 'repl-diskless-sync-delay': 0, ...options.config };
    const master = await RedisServer.start({ ...options, config });
    const replicaof = `${master.host} ${master.port}`;
    const replicas = await startMany(REPLICAS, { ...options, config: { ...config, replicaof } });
    // A sentinel asks the master for its replicas at once, and then only every ten seconds.
    for (const replica of replicas)
      await eventually(`${replica.port} is in step with its master`, () => isInStep(replica));
    const watch = `channels ${master.host} ${master.port} ${QUORUM}`;
    const sentinel = [
      `monitor ${watch}`,
      'down-after-milliseconds channels 1000',
      'failover-timeout channels 3000',
    ];
    const sentinels = await startMany(SENTINELS, { ...options, config: { sentinel }, isSentinel: true });
    const trio = new RedisSentinels([master, ...replicas], sentinels);
    for (const each of sentinels)
      await eventually(`sentinel ${each.port} knows all`, () => trio.#knowsAll(each));
    return trio;
  }

  /** What a client is given to find the master. */
  get addresses(): { readonly host: string; readonly port: number }[] {
    return this.sentinels.map(({ host, port }) => ({ host, port }));
  }

  /** The master that all sentinels name: the dead one, until they have agreed on another. */
  async master(): Promise<RedisServer> {
    return eventually('all sentinels name the same master', () => this.#agreedMaster());
  }

  /** Kills the master (SIGKILL), and returns it; {@link newMaster} tells when it has been replaced. */
  async killMaster(): Promise<RedisServer> {
    const master = await this.master();
    await master.kill();
    return master;
  }

  /** Resolves with the master in place of `old` when all sentinels name it, and it takes writes. */
  newMaster(old: RedisServer): Promise<RedisServer> {
    return eventually(
      `the sentinels replace ${old.port}`,
      async () => {
        const master = await this.#agreedMaster();
        return master && master !== old && (await roleOf(master)) === 'master' && master;
      },
      FAILOVER_TIMEOUT_MS,
    );
  }

  async #agreedMaster(): Promise<RedisServer | undefined> {
    const running = this.sentinels.filter(({ isRunning }) => isRunning);
    const addresses = await Promise.all(
      running.map((each) => each.run('sentinel', 'get-master-addr-by-name', this.name) as Promise<string[]>),
    );
    const ports = new Set(addresses.map(([, port]) => Number(port)));
    return ports.size === 1 ? this.servers.find(({ port }) => ports.has(port)) : undefined;
  }

  async #knowsAll(sentinel: RedisServer): Promise<boolean> {
    const master = pairsOf(await sentinel.run('sentinel', 'master', this.name));
    const replicas = (await sentinel.run('sentinel', 'replicas', this.name)) as unknown[];
    const linked = replicas.filter((replica) => pairsOf(replica).get('master-link-status') === 'ok');
    return master.get('num-other-sentinels') === `${SENTINELS - 1}` && linked.length === REPLICAS;
  }
}

function startMany(count: number, options: RedisServerOptions): Promise<RedisServer[]> {
  return Promise.all(Array.from({ length: count }, () => RedisServer.start(options)));
}

async function roleOf(server: RedisServer): Promise<string | undefined> {
  return (await server.info('replication')).get('role');
}

async function isInStep(replica: RedisServer): Promise<boolean> {
  return (await replica.info('replication')).get('master_link_status') === 'up';
}

/** A list of names, each with its value behind it. */
function pairsOf(reply: unknown): ReadonlyMap<string, string> {
  const list = reply as string[];
  return new Map(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : [])));
}
