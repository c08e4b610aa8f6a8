/** Somebody has come or gone; the principal as its JSON text. */
export interface MirrorChange {
  readonly type: 'join' | 'leave';
  readonly principal: string;
  readonly connections: number;
}

/** Who is in a channel, read in one moment; principals as JSON texts. */
export interface PresenceSnapshot {
  /** The number of the last message before. */
  readonly number: number;
  readonly count: number;
  /** Connections by principal. */
  readonly members: ReadonlyMap<string, number>;
}

interface Message {
  readonly number: number;
  readonly changes: readonly MirrorChange[];
}

/** Messages that wait for a snapshot; when there are more, another snapshot is taken. */
const MAX_WAITING = 1_000;

/**
 * Who is in a channel as this node has told it. Of what it has missed it tells the difference, so that each join and
 * each leave is told once, whatever happens to the messages.
 */
export class PresenceMirror {
  #known?: Set<string>;
  #number = 0;
  readonly #waiting: Message[] = [];
  #isLoading = false;
  #isBehind = true;

  constructor(private readonly changed: (change: MirrorChange) => void) {}

  /** The number of the last message that it has. */
  get number(): number {
    return this.#number;
  }

  get isLoaded(): boolean {
    return this.#known !== undefined;
  }

  /** A snapshot is needed: messages were missed. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Messages may have been missed, or the list itself may not be whole just now. */
  doubt(how: 'now' | 'later'): void {
    this.#isBehind = how === 'now';
  }

  /** A snapshot is being taken: what comes meanwhile may be within it, or not. */
  load(): void {
    this.#isLoading = true;
    this.#isBehind = false;
  }

  loaded({ number, members }: PresenceSnapshot): void {
    this.#isLoading = false;
    this.#number = number;
    const before = this.#known;
    this.#known = new Set(members.keys());
    // To the first who is here there is nothing to tell: the list has it.
    if (before) this.#tellDifference(before, members);
    for (const message of this.#waiting.splice(0)) this.#apply(message);
  }

  failed(): void {
    this.#isLoading = false;
    this.#isBehind = true;
    this.#waiting.length = 0;
  }

  receive(text: string): void {
    const message = decode(text);
    if (!message) return;
    if (this.#isLoading || !this.isLoaded) this.#wait(message);
    else this.#apply(message);
  }

  #wait(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length <= MAX_WAITING) return;
    this.#waiting.length = 0;
    this.#isBehind = true;
  }

  #apply({ number, changes }: Message): void {
    if (number <= this.#number) return;
    // What it says holds nevertheless, and is told once: the list has it, too.
    if (this.#number > 0 && number > this.#number + 1) this.#isBehind = true;
    this.#number = number;
    for (const change of changes) this.#tell(change);
  }

  #tellDifference(before: ReadonlySet<string>, members: ReadonlyMap<string, number>): void {
    for (const principal of before) {
      if (!members.has(principal)) this.changed({ type: 'leave', principal, connections: 0 });
    }
    for (const [principal, connections] of members) {
      if (!before.has(principal)) this.changed({ type: 'join', principal, connections });
    }
  }

  #tell(change: MirrorChange): void {
    const known = this.#known as Set<string>;
    const isNews = change.type === 'leave' ? known.delete(change.principal) : !known.has(change.principal);
    if (change.type === 'join') known.add(change.principal);
    if (isNews) this.changed(change);
  }
}

/** @returns undefined for what is no message of ours */
function decode(text: string): Message | undefined {
  const [number, ...lines] = text.split('\n');
  if (!Number.isSafeInteger(Number(number))) return undefined;
  return { number: Number(number), changes: lines.map(decodeLine) };
}

/** `+2 "ada"` or `-"ada"`. */
function decodeLine(line: string): MirrorChange {
  if (line.startsWith('-')) return { type: 'leave', principal: line.slice(1), connections: 0 };
  const blank = line.indexOf(' ');
  return { type: 'join', principal: line.slice(blank + 1), connections: Number(line.slice(1, blank)) };
}
