import type { NodeAnswer, NodesReply } from '../core/nodes.interface.js';
import type { AnswerMessage } from './node-messages.js';

interface Parts {
  readonly texts: (string | undefined)[];
  missing: number;
}

/** One question under way: whom it waits for, and what it has got. */
export class NodeRound {
  /** Resolves when all have answered, or it was ended. */
  readonly ended: Promise<void>;
  readonly #answers: NodeAnswer[] = [];
  readonly #begun = new Map<string, Parts>();
  readonly #answered = new Set<string>();
  #expected?: readonly string[];
  #awaited?: readonly string[];
  #end!: () => void;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * These nodes count, and of them those are waited for that have got the question. Their answers may have been faster
   * than this news.
   */
  expect(others: readonly string[], awaited: readonly string[]): void {
    this.#expected = others;
    this.#awaited = awaited;
    this.#check();
  }

  /** Waits no longer. */
  end(): void {
    this.#end();
  }

  add({ from, part, parts, text }: AnswerMessage): void {
    if (this.#answered.has(from)) return;
    const begun = this.#begun.get(from) ?? { texts: Array.from({ length: parts }), missing: parts };
    if (begun.texts.length !== parts || begun.texts[part] !== undefined) return;
    this.#begun.set(from, begun);
    begun.texts[part] = text;
    begun.missing -= 1;
    if (begun.missing > 0) return;
    this.#begun.delete(from);
    this.#answered.add(from);
    this.#answers.push({ node: from, text: begun.texts.join('') });
    this.#check();
  }

  /** @param known - the other nodes as they were last seen, for where the question did not get out */
  reply(known: readonly string[]): NodesReply {
    const missing = (this.#expected ?? known).filter((node) => !this.#answered.has(node));
    const answered = 1 + this.#answered.size;
    return { answers: this.#answers, nodes: { expected: answered + missing.length, answered, missing } };
  }

  #check(): void {
    if (this.#awaited?.every((node) => this.#answered.has(node))) this.#end();
  }
}
