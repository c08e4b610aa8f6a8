/** For how long a node is named as missing whose lease has ended and who has not left: its clients may still be there. */
export const NODE_MISSING_MS = 60_000;

/** What Redis says about the nodes. */
export interface NodesView {
  readonly alive: readonly string[];
  /** Whose lease has ended, with the milliseconds for which it is still named. */
  readonly lapsed: readonly (readonly [node: string, leftMs: number])[];
  /** Who has left in good order. */
  readonly left: readonly string[];
}

interface Known {
  /** Until when it is named. */
  readonly until: number;
  /** Whether it may hear a question. */
  readonly isAsked: boolean;
}

/**
 * The other nodes that a node knows. Redis may forget them all at once, and remembers again only those that have
 * found their way back to it, so that a node is not gone because Redis does not name it: it has to leave, or to be
 * missing for a while.
 */
export class KnownNodes {
  readonly #known = new Map<string, Known>();

  constructor(private readonly missingMs: number) {}

  /** Those that should hear a question. */
  get asked(): readonly string[] {
    return [...this.#known].filter(([, { isAsked }]) => isAsked).map(([node]) => node);
  }

  get all(): readonly string[] {
    return [...this.#known.keys()];
  }

  see({ alive, lapsed, left }: NodesView, now: number): void {
    for (const [node, { until, isAsked }] of this.#known) {
      this.#known.set(node, { until: Math.min(until, now + this.missingMs), isAsked });
    }
    for (const node of alive) this.#known.set(node, { until: Number.POSITIVE_INFINITY, isAsked: true });
    for (const [node, leftMs] of lapsed) this.#known.set(node, { until: now + leftMs, isAsked: false });
    for (const node of left) this.#known.delete(node);
    for (const [node, { until }] of this.#known) if (until <= now) this.#known.delete(node);
  }

  /** Nobody any more. */
  clear(): void {
    this.#known.clear();
  }
}

/** Of the reply of a script that ends with the view of `NODES_PRELUDE`. */
export function parseView(reply: unknown): NodesView {
  const [alive, ended, left] = reply as [string[], string[], string[]];
  const lapsed: [string, number][] = [];
  for (let at = 0; at < ended.length; at += 2) lapsed.push([String(ended[at]), Number(ended[at + 1])]);
  return { alive, lapsed, left };
}
