import { JsonCodec } from '../../lib/codec/json.codec.js';
import { CHANNEL_SYNTAX, defineChannel } from '../../lib/core/channel-definition.js';
import type { Connection } from '../../lib/core/connection.js';
import type { ConnectionInfo } from '../../lib/core/connection-info.js';
import type { ChannelRoute, Endpoint } from '../../lib/core/endpoint.js';
import { Engine } from '../../lib/core/engine.js';
import { ChannelsError, toWireError } from '../../lib/core/errors.js';
import {
  TURNED_AWAY,
  type ErrorMapper,
  type Gate,
  type Handler,
  type Message,
} from '../../lib/core/handler.interface.js';
import { MemoryPresenceStore } from '../../lib/core/memory-presence-store.js';
import { Observers } from '../../lib/core/observers.js';
import { Pattern, PatternTable } from '../../lib/core/pattern.js';
import type { Random } from '../../lib/core/random.interface.js';
import type { BusBroker } from './bus.js';
import type { Line } from './network.js';
import { HISTORY, JOIN_BUFFER_BYTES, OPTIONS } from './rules.js';
import type { Process, Run, Work } from './runs.js';
import { OwnClock } from './time.js';
import type { World } from './world.js';

const ERRORS: ErrorMapper = {
  toWireError: (error) =>
    error instanceof ChannelsError
      ? toWireError(error)
      : { code: 'internal', message: String(error), retryable: false },
  toException: (error) => ({ status: 'error', message: String(error) }),
  toClose: () => ({ code: 1_011, reason: '' }),
};

const CODEC = new JsonCodec(OPTIONS.maxNesting);

const DEFINITIONS = [
  defineChannel('room:{name}', { history: HISTORY, joinBufferBytes: JOIN_BUFFER_BYTES }),
  defineChannel('room:b', { history: HISTORY, joinBufferBytes: JOIN_BUFFER_BYTES, overflow: 'latest' }),
  defineChannel('push:{name}', {
    history: HISTORY,
    joinBufferBytes: JOIN_BUFFER_BYTES,
    overflow: 'drop-oldest',
  }),
  defineChannel('live:{name}', { joinBufferBytes: JOIN_BUFFER_BYTES, overflow: 'drop-oldest' }),
];

/** The application asks in vain where the connection has closed. */
function ignore(): void {
  // Nobody waits for it.
}

function lineOf({ connection }: Message): Line {
  return connection.transport as Line;
}

/** One process with a real engine in it. */
export class Node implements Process {
  readonly clock: OwnClock;
  readonly broker: BusBroker;
  readonly engine: Engine;
  diedAt: number | undefined;
  /** Joins that were accepted and not undone, as the methods of the application know them. */
  joins = 0;
  /** Joins that no method of the application has seen begin. */
  hasJoined = false;
  /** Guards and methods of the application that have not ended. */
  running = 0;

  constructor(
    readonly world: World,
    random: Random,
  ) {
    this.clock = new OwnClock(world.time);
    this.broker = world.bus.node(this.clock);
    this.engine = new Engine({
      options: OPTIONS,
      clock: this.clock,
      random,
      codec: CODEC,
      broker: this.broker,
      dedup: world.store.node(this.clock),
      presence: new MemoryPresenceStore({ clock: this.clock }),
      observers: new Observers([]),
      errors: ERRORS,
      plainAcks: true,
    });
    for (const definition of DEFINITIONS) this.engine.catalog.add(definition, 'here');
  }

  get isUp(): boolean {
    return this.diedAt === undefined;
  }

  accept(line: Line): Connection {
    const info: ConnectionInfo = {
      socket: {} as ConnectionInfo['socket'],
      principal: line.principal,
      user: undefined,
      params: {},
      ours: true,
      address: 'here',
      handshakeMs: 0,
    };
    const connection = this.engine.accept(line, ENDPOINT, info);
    void this.engine.admit(connection, undefined);
    return connection;
  }

  /** The application joins a connection to a channel. */
  join({ connection }: Line, channel: string): void {
    if (!this.isUp || !connection) return;
    this.hasJoined = true;
    connection.subscriptions.join(channel).catch(ignore);
  }

  leave({ connection }: Line, channel: string): void {
    if (this.isUp) connection?.subscriptions.leave(channel).catch(ignore);
  }

  close({ connection }: Line, code: number): void {
    if (this.isUp) connection?.close(code);
  }

  /** From here on it does nothing any more. */
  die(): void {
    this.diedAt = this.clock.now();
    this.clock.die();
    this.world.bus.drop(this.broker);
  }

  /** Ends code of the application when its time has come, unless the process has died before. */
  later<T>(work: () => T, ms: number): Promise<T> {
    this.running++;
    return new Promise((resolve, reject) => {
      this.clock.setTimeout(() => {
        this.running--;
        try {
          resolve(work());
        } catch (error) {
          reject(error as Error);
        }
      }, ms);
    });
  }
}

/** The application: it is the same on every node, and finds the node by the connection. */
const ENDPOINT: Endpoint = createEndpoint();

function createEndpoint(): Endpoint {
  const channels = new PatternTable<ChannelRoute>(CHANNEL_SYNTAX);
  const subscribe = { event: '$subscribe', acked: true, handle: join };
  const unsubscribe = { event: '$unsubscribe', acked: true, handle: leave };
  for (const definition of DEFINITIONS) {
    const isOpen = !definition.pattern.startsWith('push');
    channels.add(new Pattern(definition.pattern, CHANNEL_SYNTAX), {
      definition,
      ...(isOpen ? { subscribe, unsubscribe } : {}),
    });
  }
  const plain = { event: 'plain', acked: false, handle: run };
  const handlers: Handler[] = [inLane('work'), beside('beside'), plain];
  return {
    path: '/',
    handlers: new Map(handlers.map((handler) => [handler.event, [handler]])),
    channels,
    connected: () => undefined,
    disconnected: () => undefined,
  };
}

/** The guard and the method of a channel: the state is all that was published when it begins. */
function join(message: Message): unknown {
  const { channel = '', id } = message;
  const line = lineOf(message);
  const { node } = line;
  // As an application that has read its state, and needs longer for something else.
  const upTo = node.world.facts.ledger.tail(channel);
  const end = (): object => {
    if (node.world.forbids(line.principal, channel)) throw new ChannelsError('forbidden', 'not here');
    line.wire.admitted(String(id));
    node.joins++;
    return { upTo };
  };
  return node.world.joinMs === 0 ? end() : node.later(end, node.world.joinMs);
}

function leave(message: Message): void {
  lineOf(message).node.joins--;
}

function beside(event: string): Handler {
  return { event, acked: true, concurrent: true, handle: guard };
}

function inLane(event: string): Handler {
  return { event, acked: true, handle: watch };
}

function watch(message: Message, gate?: Gate): unknown {
  const { node, wire } = lineOf(message);
  const span = wire.handles(message.id === undefined ? undefined : String(message.id));
  const end = (): void => void (span.endedAt = node.clock.now());
  let result: unknown;
  try {
    result = guard(message, gate);
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) result.then(end, end);
  else end();
  return result;
}

/** As the method of a gateway is compiled: guard, gate, method. */
function guard(message: Message, gate?: Gate): unknown {
  const { guardMs } = message.data as Work;
  if (guardMs === 0) return enter(message, gate);
  return lineOf(message)
    .node.later(() => undefined, guardMs)
    .then(() => enter(message, gate));
}

function enter(message: Message, gate?: Gate): unknown {
  const may = gate ? gate.enter() : true;
  if (may instanceof Promise) return may.then((is) => (is ? run(message) : TURNED_AWAY));
  return may ? run(message) : TURNED_AWAY;
}

function run(message: Message): unknown {
  const work = message.data as Work;
  const { node, wire } = lineOf(message);
  // Without an id it is told apart by its call alone.
  const key = wire.key(message.id ?? `emit ${work.n}`);
  const begun = node.world.facts.runs.begin(key, message.event, work.n, node);
  const end = (): unknown => finish(begun, work, node);
  return work.ms === 0 ? end() : node.later(end, work.ms);
}

function finish(begun: Run, work: Work, { world }: Node): unknown {
  const state = world.facts.runs.end(begun, work);
  if (state === 'retryable') throw new ChannelsError('unavailable', 'not now');
  if (state === 'final') throw new ChannelsError('bad_request', 'not this');
  return { n: work.n, run: begun.index };
}
