import { PresenceMirror, type MirrorChange, type PresenceSnapshot } from './presence-mirror.js';

/** Changes in one script at most: it runs for about five milliseconds then. */
const MAX_CHANGES = 500;

/** After so many scripts with changes in a row it is time for what else is to be done. */
const MAX_WRITES_IN_A_ROW = 8;

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
  /** What the node has written before, and what it has written then; the empty text for nothing. */
  readonly revision: string;
  readonly fresh: string;
}

interface Waiting {
  /** How many changes Redis has to be told first; more may follow them. */
  changes: number;
  readonly resolve: () => void;
}

/** What a {@link ServedPresence} needs of Redis. The two that are `undefined` say that something of the node was lost. */
export interface PresencePort {
  listen(received: (message: string) => void): Promise<void>;
  /** Returns the number of the last message. */
  write(write: PresenceWrite): Promise<number | undefined>;
  /** Returns the connections of the node that Redis knows, by principal; a write goes on from the revision. */
  claim(revision: string): Promise<ReadonlyMap<string, number>>;
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
  /** Those who wait until Redis has been told what was set before. */
  readonly #waiting = new Set<Waiting>();
  #writesInARow = 0;
  /** Redis may have something else: it is told everything. */
  #isUnsure = false;
  #isDue = false;
  /** Redis was asked to bring what the others tell. */
  #hasAsked = false;
  /** It has said that it does. */
  #listens = false;
  /** It has not, and is asked again. */
  #asksAgain = false;
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
    this.#asksAgain = this.#hasAsked && !this.#listens;
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
    await this.#told();
    let snapshot = await this.port.read(limit);
    // A message may have overtaken the answer. One more read is behind it.
    if (snapshot.number < this.#mirror.number) snapshot = await this.port.read(limit);
    return snapshot;
  }

  /** Whatever is set meanwhile is not waited for: where somebody always comes that would have no end. */
  #told(): Promise<void> | void {
    if (!this.#isUnsure && this.#untold.length === 0) return;
    void this.work();
    const changes = this.#isUnsure ? Infinity : this.#untold.length;
    return new Promise((resolve) => this.#waiting.add({ changes, resolve }));
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
    // Where it has failed a read fails as well, or tells what there is.
    for (const waiting of this.#waiting) waiting.resolve();
    this.#waiting.clear();
  }

  /** What is to be done first, if there is anything. */
  #step(): Promise<void> | undefined {
    if (!this.#hasAsked && this.#untold.length > 0) return this.#listen();
    // Who was here before is known before anybody of this node is told to the others.
    if (!this.#mirror.isLoaded && this.#hasAsked) return this.#load();
    if (this.#isUnsure) return this.#claim();
    if (this.#untold.length > 0 && this.#writesInARow < MAX_WRITES_IN_A_ROW) return this.#writeNext();
    this.#writesInARow = 0;
    if (this.#isDue) return this.#sweep();
    if (this.#mirror.isBehind && this.#hasAsked) return this.#load();
    // Where nobody is it may be given up already.
    if (this.#asksAgain && !this.isEmpty) return this.#listen();
    return this.#untold.length > 0 ? this.#writeNext() : undefined;
  }

  async #listen(): Promise<void> {
    const isFirst = !this.#hasAsked;
    this.#hasAsked = true;
    try {
      await this.port.listen((message) => this.#receive(message));
      this.#listens = true;
    } catch (error) {
      // Redis is told of this node all the same; what is missed of the others the sweeps find, until it is heard.
      if (isFirst) this.port.failed(error);
    } finally {
      this.#asksAgain = false;
    }
  }

  #receive(message: string): void {
    this.#mirror.receive(message);
    if (this.#mirror.isBehind) this.#missed();
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

  /** Redis is told what it does not have, in as small parts as everything else: others wait for it as well. */
  async #claim(): Promise<void> {
    const revision = this.#nextRevision();
    const known = await this.port.claim(revision);
    this.#revision = revision;
    this.#isUnsure = false;
    this.#untold = this.#differenceTo(known);
    for (const waiting of this.#waiting) waiting.changes = this.#untold.length;
    this.#release(0);
    if (this.isEmpty && this.#untold.length === 0) await this.#write([]);
  }

  #differenceTo(known: ReadonlyMap<string, number>): LocalChange[] {
    const changes: LocalChange[] = [];
    for (const principal of known.keys()) {
      if (!this.#connections.has(principal)) changes.push({ principal, connections: 0, isLost: true });
    }
    for (const [principal, connections] of this.#connections) {
      if (known.get(principal) !== connections) changes.push({ principal, connections, isLost: false });
    }
    return changes;
  }

  #nextRevision(): string {
    return String((this.#revisions += 1));
  }

  #writeNext(): Promise<void> {
    this.#writesInARow++;
    return this.#write(this.#untold.slice(0, MAX_CHANGES));
  }

  async #write(changes: readonly LocalChange[]): Promise<void> {
    const isLast = this.isEmpty && this.#untold.length === changes.length;
    const revision = this.#revision;
    const fresh = isLast ? '' : this.#nextRevision();
    this.#revision = fresh;
    const number = await this.port.write({ changes, revision, fresh });
    this.#see(number);
    if (number === undefined) return;
    this.#untold.splice(0, changes.length);
    this.#release(changes.length);
  }

  /** Redis has been told so many more. */
  #release(changes: number): void {
    for (const waiting of this.#waiting) {
      waiting.changes -= changes;
      if (waiting.changes > 0) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  async #sweep(): Promise<void> {
    this.#isDue = false;
    // Where nobody is there is nothing to say, and nobody to be told.
    if (this.isEmpty) return;
    const number = await this.port.sweep(this.#revision);
    this.#see(number);
    if (number === undefined) return;
    this.#compare(number);
    // At once: the next message says again that some were missed, and asks for another sweep.
    if (this.#mirror.isBehind) await this.#load();
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
