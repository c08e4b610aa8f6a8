import type { HistoryPage, HistoryQuery, HistoryRule, Position, Publication } from './broker.interface.js';

interface Entry {
  readonly publication: Publication;
  readonly offset: number;
  readonly keptUntil: number;
  readonly bytes: number;
  readonly key?: string;
}

/** What a publication takes in an answer besides its event and its data: names, punctuation, the longest offset. */
const FRAMING_BYTES = Buffer.byteLength('{"event":,"data":,"offset":9007199254740991},');

/** The publications of one channel that are still kept, in the memory of one process. */
export class ChannelHistory {
  readonly #entries: Entry[] = [];
  /** Offsets by key, of what is kept. */
  readonly #keys = new Map<string, number>();
  #offset = 0;

  constructor(private readonly epoch: string) {}

  get position(): Position {
    return { epoch: this.epoch, offset: this.#offset };
  }

  /** Nothing has ever been published. */
  get isBlank(): boolean {
    return this.#offset === 0;
  }

  /** The position of an earlier publication with this key, while that is kept. */
  find(key: string, now: number): Position | undefined {
    this.expire(now);
    const offset = this.#keys.get(key);
    return offset === undefined ? undefined : { epoch: this.epoch, offset };
  }

  /** Keeps a publication under the next offset, and returns it with its position. */
  add(publication: Publication, { size, ttlMs }: HistoryRule, now: number, key?: string): Publication {
    this.expire(now);
    this.#offset += 1;
    const placed = { ...publication, position: this.position };
    const bytes = bytesOf(publication);
    this.#entries.push({ publication: placed, offset: this.#offset, keptUntil: now + ttlMs, bytes, key });
    if (key !== undefined) this.#keys.set(key, this.#offset);
    this.#drop(this.#entries.length - size);
    return placed;
  }

  read({ after = 0, limit, maxBytes, reverse = false }: HistoryQuery, now: number): HistoryPage {
    this.expire(now);
    const found = this.#entries.filter(({ offset }) => offset > after);
    if (reverse) found.reverse();
    const publications: Publication[] = [];
    let bytes = 0;
    for (const entry of found.slice(0, limit)) {
      bytes += entry.bytes;
      if (bytes > maxBytes && publications.length > 0) break;
      publications.push(entry.publication);
    }
    const oldest = this.#entries[0]?.offset ?? this.#offset + 1;
    return { position: this.position, oldest, publications };
  }

  /** Drops what has been kept for long enough. */
  expire(now: number): void {
    const fresh = this.#entries.findIndex(({ keptUntil }) => keptUntil > now);
    this.#drop(fresh === -1 ? this.#entries.length : fresh);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    for (const { key, offset } of this.#entries.splice(0, count)) {
      if (key !== undefined && this.#keys.get(key) === offset) this.#keys.delete(key);
    }
  }
}

function bytesOf({ event, data = '' }: Publication): number {
  return Buffer.byteLength(JSON.stringify(event)) + Buffer.byteLength(data) + FRAMING_BYTES;
}
