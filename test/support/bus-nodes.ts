import type { Nodes, NodeAnswer, NodesHost, NodesReply } from 'nestjs-channels';

/** What nodes of a test ask each other over: everything takes a turn of the event loop, and only text travels. */
export class NodesBus {
  readonly #nodes: BusNodes[] = [];
  #made = 0;

  /** One more node, which the others know from its start on. */
  node(): BusNodes {
    this.#made += 1;
    return new BusNodes(this, `node-${this.#made}`);
  }

  others(than: BusNodes): readonly BusNodes[] {
    return this.#nodes.filter((node) => node !== than);
  }

  enter(node: BusNodes): void {
    this.#nodes.push(node);
  }

  leave(node: BusNodes): void {
    if (this.#nodes.includes(node)) this.#nodes.splice(this.#nodes.indexOf(node), 1);
  }
}

export class BusNodes implements Nodes {
  /** Stands still, as a frozen process does: it gets every question, and answers none. */
  isFrozen = false;
  /** What it says instead of its own answer. */
  says?: string;
  /** Questions that it has got. */
  readonly asked: string[] = [];
  #host?: NodesHost;

  constructor(
    private readonly bus: NodesBus,
    readonly id: string,
  ) {}

  start(host: NodesHost): void {
    this.#host = host;
    this.bus.enter(this);
  }

  async ask(question: string, timeoutMs: number): Promise<NodesReply> {
    const others = this.#host ? this.bus.others(this) : [];
    const answers: NodeAnswer[] = [];
    let isOver = false;
    const asking = others.map(async (other) => {
      const text = await other.answer(question);
      if (text !== undefined && !isOver) answers.push({ node: other.id, text });
    });
    await this.#within(asking, () => answers.length === others.length, timeoutMs);
    isOver = true;
    const missing = others.map(({ id }) => id).filter((id) => answers.every(({ node }) => node !== id));
    const expected = 1 + others.length;
    return { answers, nodes: { expected, answered: expected - missing.length, missing } };
  }

  alive(): readonly string[] {
    return [this.id, ...this.bus.others(this).map(({ id }) => id)];
  }

  /** Answers as over a wire: later, or not at all. */
  async answer(question: string): Promise<string | undefined> {
    await new Promise((resolve) => setImmediate(resolve));
    this.asked.push(question);
    if (this.isFrozen || !this.#host) return undefined;
    try {
      return this.says ?? (await this.#host.answer(question));
    } catch (error) {
      this.#host.failed('the question of another node', error);
      return undefined;
    }
  }

  close(): void {
    this.#host = undefined;
    this.bus.leave(this);
  }

  /** Resolves when it is so, or the time is over. */
  #within(asking: readonly Promise<void>[], isEnough: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#host?.clock.setTimeout(resolve, timeoutMs);
      const check = (): void => {
        if (!isEnough()) return;
        if (timer) this.#host?.clock.clearTimer(timer);
        resolve();
      };
      check();
      for (const asked of asking) void asked.then(check);
    });
  }
}
