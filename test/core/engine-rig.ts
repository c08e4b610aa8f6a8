import { JsonCodec } from '../../lib/codec/index.js';
import type { Broker } from '../../lib/core/broker.interface.js';
import { CHANNEL_SYNTAX, defineChannel } from '../../lib/core/channel-definition.js';
import type { ChannelSocket } from '../../lib/core/channel-socket.js';
import type { Connection } from '../../lib/core/connection.js';
import type { ConnectionInfo } from '../../lib/core/connection-info.js';
import type { DedupStore } from '../../lib/core/dedup-store.interface.js';
import type { EncodedFrame } from '../../lib/core/encoded-frame.js';
import type { ChannelRoute, Endpoint } from '../../lib/core/endpoint.js';
import { Engine } from '../../lib/core/engine.js';
import { ChannelsError, toWireError } from '../../lib/core/errors.js';
import type { ErrorMapper, Handler } from '../../lib/core/handler.interface.js';
import { MemoryBroker, type MemoryBrokerParts } from '../../lib/core/memory-broker.js';
import { MemoryDedupStore } from '../../lib/core/memory-dedup-store.js';
import { MemoryPresenceStore } from '../../lib/core/memory-presence-store.js';
import type { Observer } from '../../lib/core/observer.interface.js';
import { Observers } from '../../lib/core/observers.js';
import { resolveOptions, type EngineOptions } from '../../lib/core/options.js';
import { Pattern, PatternTable } from '../../lib/core/pattern.js';
import type { PresenceStore } from '../../lib/core/presence-store.interface.js';
import type { Random } from '../../lib/core/random.interface.js';
import type { Transport } from '../../lib/core/transport.interface.js';
import { TestClock } from 'nestjs-channels/testing';

/** A transport may take its time to end. */
const END_TURNS = 3;

/** A peer's side of a connection, played by the test. Ends as a socket does: later, and once. */
export class FakeTransport implements Transport {
  bufferedAmount = 0;
  bytesRead = 0;
  isShared = false;
  bytesWritten = 0;
  /** Texts of the frames, one array for each write. */
  readonly writes: string[][] = [];
  /** What was called, except `write`: `probe`, `end 1000 bye`, `destroy`. */
  readonly calls: string[] = [];
  /** Whether the peer answers a close. */
  answersClose = true;
  /** Told of each sign of life that is asked for, below the protocol or by `$ping`. */
  onPing: () => void = () => undefined;
  /** Told when this side says good-bye. */
  onEnd: () => void = () => undefined;
  /** Told when this side ends the connection without a word. */
  onDestroy: () => void = () => undefined;
  #report?: (code: number, reason: string) => void;

  renewed(): void {}

  /** How the end of this transport is reported; the rig sets it. */
  reportTo(report: (code: number, reason: string) => void): void {
    this.#report = report;
  }

  get frames(): readonly string[] {
    return this.writes.flat();
  }

  get pings(): number {
    return this.calls.filter((call) => call === 'probe').length;
  }

  get events(): string[] {
    return this.frames.map((text) => (JSON.parse(text) as { event?: string }).event ?? text);
  }

  write(frames: readonly EncodedFrame[]): void {
    this.writes.push(frames.map(({ text }) => text));
    for (const { text, byteLength } of frames) {
      this.bytesWritten += byteLength;
      if (text === '{"event":"$ping"}') this.onPing();
    }
  }

  probe(): void {
    this.calls.push('probe');
    this.bytesWritten += 2;
    this.onPing();
  }

  end(code: number, reason: string): void {
    if (code < 1_000 || code === 1_006 || code > 4_999) throw new TypeError(`${code} cannot be sent`);
    this.calls.push(`end ${code} ${reason}`);
    this.onEnd();
    if (this.answersClose) this.#end(code, reason);
  }

  expel(code: number, reason: string): void {
    this.calls.push(`expel ${code} ${reason}`);
    this.onEnd();
    if (this.answersClose) this.#end(code, reason);
  }

  destroy(): void {
    this.calls.push('destroy');
    this.onDestroy();
    this.#end(1_006, '');
  }

  /** The peer is gone, without a word unless a code is given. */
  drop(code = 1_006, reason = ''): void {
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    const report = this.#report;
    this.#report = undefined;
    if (report) void turns(END_TURNS).then(() => report(code, reason));
  }
}

/** A peer that never answers a close. */
export function deaf(): FakeTransport {
  const transport = new FakeTransport();
  transport.answersClose = false;
  return transport;
}

/** What observers were told of the beginning and the end of connections: `opened`, `closed 4408`. */
export class Journal implements Observer {
  readonly entries: string[] = [];
  readonly failures: string[] = [];

  opened(): void {
    this.entries.push('opened');
  }

  closed(_connection: Connection, code: number): void {
    this.entries.push(`closed ${code}`);
  }

  failed({ where }: { readonly where: string }): void {
    this.failures.push(where);
  }
}

export interface Peer {
  readonly connection: Connection;
  readonly transport: FakeTransport;
}

export interface RigOptions extends EngineOptions {
  readonly clock?: TestClock;
  readonly seed?: number;
  readonly observers?: readonly Observer[];
  readonly broker?: Broker;
  readonly dedup?: DedupStore;
  readonly presence?: PresenceStore;
  readonly handlers?: readonly Handler[];
  readonly channels?: Readonly<Record<string, Omit<ChannelRoute, 'definition'>>>;
  readonly connected?: Endpoint['connected'];
  readonly disconnected?: Endpoint['disconnected'];
}

/** An engine without sockets, whose time and chance belong to the test. */
export class Rig {
  readonly clock: TestClock;
  readonly journal = new Journal();
  readonly engine: Engine;
  readonly endpoint: Endpoint;

  constructor(options: RigOptions = {}) {
    const {
      clock = new TestClock(),
      seed = 1,
      observers = [],
      broker = memoryBroker({ clock }),
      ...rest
    } = options;
    const { handlers, channels, connected, disconnected, dedup, presence, ...limits } = rest;
    const resolved = resolveOptions({ drainWindowMs: 0, ...limits });
    const { maxDedupBytes: maxBytes, maxDedupBytesPerPrincipal: maxBytesPerPrincipal } = resolved;
    this.clock = clock;
    this.engine = new Engine({
      options: resolved,
      clock,
      random: seededRandom(seed),
      codec: new JsonCodec(resolved.maxNesting),
      broker,
      dedup: dedup ?? new MemoryDedupStore({ clock, maxBytes, maxBytesPerPrincipal }),
      presence: presence ?? new MemoryPresenceStore({ clock }),
      observers: new Observers([this.journal, ...observers]),
      errors: ERRORS,
      plainAcks: true,
    });
    this.endpoint = createEndpoint({ handlers, channels, connected, disconnected });
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(options);
    await rig.engine.start();
    return rig;
  }

  /** Takes a peer on; its `handleConnection` has not run. */
  accept(info: Partial<ConnectionInfo> = {}, transport = new FakeTransport()): Peer {
    const connection = this.engine.accept(transport, this.endpoint, { ...ANONYMOUS, ...info });
    transport.reportTo((code, reason) => connection.closed(code, reason));
    return { connection, transport };
  }

  /** Takes a peer on and admits it. */
  open(info: Partial<ConnectionInfo> = {}, transport = new FakeTransport()): Peer {
    const peer = this.accept(info, transport);
    void this.engine.admit(peer.connection, undefined);
    return peer;
  }
}

/** A broker of one process; its time and chance belong to the test. */
export function memoryBroker(parts: Partial<MemoryBrokerParts> = {}): MemoryBroker {
  return new MemoryBroker({ clock: new TestClock(), random: seededRandom(7), ...parts });
}

/** Every run of a seed draws the same. */
export function seededRandom(seed: number): Random {
  let state = seed;
  let ids = 0;
  return {
    // Mulberry32: small, and evenly spread enough for what is drawn here.
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    id: () => `id-${seed}-${(ids += 1)}`,
  };
}

/** A frame of a client, as its transport hands it over. */
export function say({ connection }: Peer, frame: object): void {
  connection.receive(JSON.stringify(frame));
}

/** What the event loop has begun has ended: promises have settled and frames have been written. */
export function settled(): Promise<void> {
  return turns(30);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const ERRORS: ErrorMapper = {
  toWireError: (error) =>
    error instanceof ChannelsError
      ? toWireError(error)
      : { code: 'internal', message: String(error), retryable: false },
  toException: (error) => ({ status: 'error', message: String(error) }),
  toClose: () => ({ code: 1_011, reason: '' }),
};

const ANONYMOUS: ConnectionInfo = {
  // Handlers of the test get the connection itself; nothing here asks for its socket.
  socket: {} as ChannelSocket,
  principal: '',
  user: undefined,
  params: {},
  ours: true,
  address: '127.0.0.1',
  handshakeMs: 0,
};

function createEndpoint({ handlers = [], channels = {}, connected, disconnected }: RigOptions): Endpoint {
  const table = new PatternTable<ChannelRoute>(CHANNEL_SYNTAX);
  for (const [pattern, route] of Object.entries(channels)) {
    table.add(new Pattern(pattern, CHANNEL_SYNTAX), { definition: defineChannel(pattern), ...route });
  }
  return {
    path: '/',
    handlers: new Map(handlers.map((handler) => [handler.event, [handler]])),
    channels: table,
    connected: connected ?? (() => undefined),
    disconnected: disconnected ?? (() => undefined),
  };
}
