import { PresenceMirror, type MirrorChange, type PresenceSnapshot } from './presence-mirror.js';

/** A change in one script at most: it runs for a millisecond or so. */
const MAX_CHANGES = 500;

/**
 * Where Redis may have lost something, the list is read after so many sweeps: until then the other nodes have told
 * again what they have, and are not taken for empty.
 */
const SWEEPS_TO_WAIT = 2;

/** What has changed on this node; the principal as its JSON text. */
export interface LocalChange {
  readonly principal: string;
  readonly connections: number;
  readonly isLost: boolean;
}

/** What this node tells Redis at once. */
export interface PresenceWrite {
  readonly changes: readonly LocalChange[];
  /** They are all that the node has, whatever was known of it. */
  readonly isAll: boolean;
  /** What the node has written before, and what it has written then; the empty text for nothing. */
  readonly revision: string;
  readonly fresh: string;
}

/** What a {@link ServedPresence} needs of Redis. The two that are `undefined` say that something of the node was lost. */
export interface PresencePort {
  listen(received: (message: string) => void): Promise<void>;
  /** Returns the number of the last message. */
  write(write: PresenceWrite): Promise<number | undefined>;
  sweep(revision: string): Promise<number | undefined>;
  read(limit: number): Promise<PresenceSnapshot>;
  changed(change: MirrorChange): void;
  /** Redis could not be asked; it is tried again later. */
  failed(error: unknown): void;
}

/**
 * The presence of one channel that this node has somebody in. Whatever it has to do it does one after the other; what
 * fails leaves a mark, by which it is made good the next time.
 */
export class ServedPresence {
  /** When it was last looked after. */
  sweptAt: number;
  /** Since when nobody of this node is here. */
  emptySince?: number;

  readonly #mirror: PresenceMirror;
  /** What holds on this node, by principal. */
  readonly #connections = new Map<string, number>();
  /** What of it Redis has not been told, in order. */
  #untold: LocalChange[] = [];
  /** Redis may have something else: it is told everything. */
  #isUnsure = false;
  #isDue = false;
  #listens = false;
  #revision = '';
  #revisions = 0;
  /** After how many sweeps the list is read again. */
  #doubtIn = 0;
  /** What the last sweep has seen: those messages must have come by the next. */
  #published = 0;
  #work?: Promise<void>;

  constructor(
    private readonly port: PresencePort,
    now: number,
  ) {
    this.sweptAt = now;
    this.#mirror = new PresenceMirror((change) => port.changed(change));
  }

  set(change: LocalChange): void {
    const { principal, connections } = change;
    if (connections > 0) this.#connections.set(principal, connections);
    else this.#connections.delete(principal);
    // While Redis is away, what holds is all that it has to be told when it is back.
    if (!this.#isUnsure) this.#untold.push(change);
  }

  get isEmpty(): boolean {
    return this.#connections.size === 0;
  }

  /** All connections of this node have been lost. */
  empty(): void {
    const principals = [...this.#connections.keys()];
    for (const principal of principals) this.set({ principal, connections: 0, isLost: true });
  }

  /** Messages may be missing. */
  doubt(): void {
    this.#doubtIn = SWEEPS_TO_WAIT;
    this.#mirror.doubt('later');
  }

  /** It is time to say that the node lives, and to end what is over. */
  due(): void {
    this.#isDue = true;
  }

  get isWorking(): boolean {
    return this.#work !== undefined;
  }

  /** Does all that there is to do, or fails and leaves the rest for the next time. */
  work(): Promise<void> {
    return (this.#work ??= this.#run());
  }

  /** Who is there: includes all that was set, and all that was told, before. */
  async members(limit: number): Promise<PresenceSnapshot> {
    await this.work();
    let snapshot = await this.port.read(limit);
    // A message may have overtaken the answer. One more read is behind it.
    if (snapshot.number < this.#mirror.number) snapshot = await this.port.read(limit);
    return snapshot;
  }

  async #run(): Promise<void> {
    // All that is set in this turn goes together.
    await Promise.resolve();
    try {
      // One after the other is the point of this loop.
      // oxlint-disable-next-line no-await-in-loop
      for (let step = this.#step(); step; step = this.#step()) await step;
    } catch (error) {
      this.#isUnsure = true;
      this.#untold = [];
      this.port.failed(error);
    }
    // In the turn in which there was no step: what is set from now on begins another run.
    this.#work = undefined;
  }

  /** What is to be done first, if there is anything. */
  #step(): Promise<void> | undefined {
    if (!this.#listens && this.#untold.length > 0) return this.#listen();
    // Who was here before is known before anybody of this node is told to the others.
    if (!this.#mirror.isLoaded && this.#listens) return this.#load();
    if (this.#isUnsure) return this.#write(this.#all(), true);
    if (this.#untold.length > 0) return this.#write(this.#untold.splice(0, MAX_CHANGES), false);
    if (this.#isDue) return this.#sweep();
    return this.#mirror.isBehind && this.#listens ? this.#load() : undefined;
  }

  async #listen(): Promise<void> {
    // Where it fails the interest stays, and messages come when Redis is back: behind a doubt.
    this.#listens = true;
    await this.port.listen((message) => {
      this.#mirror.receive(message);
      if (this.#mirror.isBehind) this.#missed();
    });
  }

  #missed(): void {
    if (this.#doubtIn > 0) {
      this.#mirror.doubt('later');
      return;
    }
    // First it is seen whether Redis has lost something: then the list is not whole.
    this.#isDue = true;
    void this.work();
  }

  #all(): LocalChange[] {
    this.#untold = [];
    return Array.from(this.#connections, ([principal, connections]) => ({
      principal,
      connections,
      isLost: false,
    }));
  }

  async #write(changes: readonly LocalChange[], isAll: boolean): Promise<void> {
    this.#isUnsure = false;
    const isLast = this.isEmpty && this.#untold.length === 0;
    const revision = this.#revision;
    const fresh = isLast ? '' : String((this.#revisions += 1));
    this.#revision = fresh;
    this.#see(await this.port.write({ changes, isAll, revision, fresh }));
  }

  async #sweep(): Promise<void> {
    this.#isDue = false;
    // Where nobody is there is nothing to say, and nobody to be told.
    if (this.isEmpty) return;
    const number = await this.port.sweep(this.#revision);
    this.#see(number);
    if (number !== undefined) this.#compare(number);
  }

  async #load(): Promise<void> {
    this.#mirror.load();
    try {
      this.#mirror.loaded(await this.port.read(-1));
    } catch (error) {
      this.#mirror.failed();
      throw error;
    }
  }

  /** What was published before the last sweep must have come by now; and no number goes back. */
  #compare(number: number): void {
    const { number: have } = this.#mirror;
    if (this.#doubtIn > 0) {
      this.#doubtIn--;
      if (this.#doubtIn === 0) this.#mirror.doubt('now');
    } else if (have < this.#published) this.#mirror.doubt('now');
    else if (have > number) this.doubt();
    this.#published = number;
  }

  #see(number: number | undefined): void {
    if (number !== undefined) return;
    this.#isUnsure = true;
    this.#untold = [];
    this.doubt();
  }
}
