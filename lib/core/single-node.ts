import type { Nodes, NodesReply } from './nodes.interface.js';

/** The only node: what there is where the broker knows no others. */
export class SingleNode implements Nodes {
  constructor(readonly id: string) {}

  start(): void {}

  ask(): NodesReply {
    return { answers: [], nodes: { expected: 1, answered: 1, missing: [] } };
  }

  alive(): readonly string[] {
    return [this.id];
  }

  close(): void {}
}
