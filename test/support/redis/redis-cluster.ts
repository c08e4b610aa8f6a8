import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { fieldsOf, RedisServer, type RedisServerOptions } from './redis-server.js';

const NODES = 6;
const MIGRATE_TIMEOUT_MS = 5_000;
const KEYS_AT_ONCE = 100;

/** After the death of a master: the node timeout, the vote, and the news of it. */
const FAILOVER_TIMEOUT_MS = 30_000;

/** A Redis Cluster of the test's own: three masters, each with a replica. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  /** Resolves when every node knows all of them, serves all slots, and no replica lags behind its master. */
  static async start(options: RedisServerOptions = {}): Promise<RedisCluster> {
    const config = {
      'cluster-enabled': 'yes',
      'cluster-node-timeout': 2_000,
      // Else the first copy to a replica waits five seconds for others.
      'repl-diskless-sync-delay': 0,
      ...options.config,
    };
    const nodes = await Promise.all(
      Array.from({ length: NODES }, () => RedisServer.start({ ...options, config })),
    );
    const cluster = new RedisCluster(nodes);
    await promisify(execFile)('redis-cli', [
      '--cluster',
      'create',
      ...nodes.map(({ host, port }) => `${host}:${port}`),
      ...['--cluster-replicas', '1', '--cluster-yes'],
    ]);
    await cluster.heals();
    return cluster;
  }

  /** What a client is given to find the cluster. */
  get startupNodes(): { readonly host: string; readonly port: number }[] {
    return this.nodes.map(({ host, port }) => ({ host, port }));
  }

  /** Resolves when all nodes that run agree that all is well. */
  async heals(): Promise<void> {
    for (const node of this.#running)
      await eventually(`node ${node.port} of the cluster is well`, () => isWell(node), FAILOVER_TIMEOUT_MS);
  }

  slotOf(key: string): Promise<number> {
    return this.#first.run('cluster', 'keyslot', key) as Promise<number>;
  }

  /** The node that serves this key, in the eyes of one that runs; a master that has just died is named until the vote. */
  async masterOf(key: string): Promise<RedisServer> {
    return this.#at(await ownerOf(await this.slotOf(key), this.#first));
  }

  async masters(): Promise<RedisServer[]> {
    const ranges = await slotRanges(this.#first);
    return [...new Set(ranges.map(({ port }) => port))].map((port) => this.#at(port));
  }

  /** Kills the master of this key (SIGKILL), and returns it; {@link newMasterOf} tells when it has been replaced. */
  async killMasterOf(key: string): Promise<RedisServer> {
    const master = await this.masterOf(key);
    await master.kill();
    return master;
  }

  /** Resolves with the master in place of `old` when all that run send a client there, and are well. */
  async newMasterOf(key: string, old: RedisServer): Promise<RedisServer> {
    const slot = await this.slotOf(key);
    const what = `another node than ${old.port} serves ${key}`;
    const port = await eventually(what, () => this.#agreedOwner(slot, old), FAILOVER_TIMEOUT_MS);
    await this.heals();
    return this.#at(port);
  }

  /** Moves the slot of this key with what is in it, under load as well, as `redis-cli --cluster reshard` does. */
  async moveSlotOf(key: string, to: RedisServer): Promise<void> {
    const [slot, from] = [await this.slotOf(key), await this.masterOf(key)];
    if (from === to) throw new Error(`Node ${to.port} has the slot of ${key} already.`);
    const [fromId, toId] = [await from.run('cluster', 'myid'), await to.run('cluster', 'myid')].map(String);
    await to.run('cluster', 'setslot', slot, 'importing', fromId ?? '');
    await from.run('cluster', 'setslot', slot, 'migrating', toId ?? '');
    await moveKeys(slot, from, to);
    // The new owner first: if the old one let go before, nobody would serve the slot.
    const rest = (await this.masters()).filter((master) => master !== to && master !== from);
    for (const master of [to, from, ...rest])
      await master.run('cluster', 'setslot', slot, 'node', toId ?? '');
    await eventually(`all find ${key} at ${to.port}`, () => this.#agreedOwner(slot, from));
  }

  get #running(): readonly RedisServer[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  get #first(): RedisServer {
    const [node] = this.#running;
    if (!node) throw new Error('No node of the cluster runs.');
    return node;
  }

  async #agreedOwner(slot: number, old: RedisServer): Promise<number | false> {
    const owners = new Set(await Promise.all(this.#running.map((node) => ownerOf(slot, node))));
    const [port] = owners;
    return owners.size === 1 && port !== undefined && port !== old.port && port;
  }

  #at(port: number | undefined): RedisServer {
    const node = this.nodes.find((each) => each.port === port);
    if (!node) throw new Error(`The cluster has no node at ${port}.`);
    return node;
  }
}

async function isWell(node: RedisServer): Promise<boolean> {
  const cluster = fieldsOf(String(await node.run('cluster', 'info')));
  const replication = await node.info('replication');
  const knowsAll = cluster.get('cluster_known_nodes') === `${NODES}`;
  const isInStep = replication.get('role') === 'master' || replication.get('master_link_status') === 'up';
  return cluster.get('cluster_state') === 'ok' && knowsAll && isInStep;
}

interface SlotRange {
  readonly from: number;
  readonly to: number;
  /** Of the master. */
  readonly port: number;
}

async function slotRanges(node: RedisServer): Promise<SlotRange[]> {
  const ranges = (await node.run('cluster', 'slots')) as [number, number, [string, number]][];
  return ranges.map(([from, to, [, port]]) => ({ from, to, port }));
}

async function ownerOf(slot: number, node: RedisServer): Promise<number | undefined> {
  return (await slotRanges(node)).find(({ from, to }) => from <= slot && slot <= to)?.port;
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  for (;;) {
    const keys = (await from.run('cluster', 'getkeysinslot', slot, KEYS_AT_ONCE)) as string[];
    if (keys.length === 0) return;
    await from.run('migrate', to.host, to.port, '', 0, MIGRATE_TIMEOUT_MS, 'keys', ...keys);
  }
}
