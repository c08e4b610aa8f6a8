import type { FakeWebSocket, Received } from './fake-web-socket.js';

/** One call of `send`, as the model knows it. */
export interface Sent {
  readonly index: number;
  readonly event: string;
  /** How often it was resolved or rejected. */
  settlings: number;
  id?: string;
  /** Whom it was queued for; unknown until the first welcome. */
  principal: string | undefined;
  /** The identity under which it was first written. */
  clientId?: string;
  refusals: number;
  /** The `reset()` that came before it. */
  readonly era: number;
}

interface Wire {
  clientId?: string;
  helloId?: string;
  /** Whom the server takes it for. */
  principal?: string;
  isWelcome: boolean;
  readonly inFlight: Set<Sent>;
  /** The highest index written of those that were never refused. */
  last: number;
}

/** The rules that hold in every history, checked as it goes. */
export class HistoryModel {
  readonly all: Sent[] = [];
  readonly faults: string[] = [];
  readonly #wires = new Map<FakeWebSocket, Wire>();
  readonly #byId = new Map<string, Sent>();
  readonly #otherIds = new Set<string>();
  #principal: string | undefined;
  #era = 0;

  constructor(private readonly maxInFlight: number) {}

  add(): Sent {
    const index = this.all.length;
    const { event, principal, era } = { event: `m${index}`, principal: this.#principal, era: this.#era };
    const sent: Sent = { index, event, settlings: 0, principal, refusals: 0, era };
    this.all.push(sent);
    return sent;
  }

  reset(): void {
    this.#era++;
    this.#principal = undefined;
  }

  /** Nothing waits any more: what comes next is queued for whoever is logged in then. */
  closed(): void {
    this.#principal = undefined;
  }

  /** The server answers `$hello`. */
  takenFor(socket: FakeWebSocket, principal: string): void {
    this.#wire(socket).principal = principal;
  }

  written(socket: FakeWebSocket, text: string): void {
    const frame = JSON.parse(text) as Received;
    const wire = this.#wire(socket);
    if (frame.event === '$hello') {
      wire.helloId = frame.id;
      wire.clientId = frame.data.clientId as string;
    }
    if (frame.event.startsWith('$')) {
      this.#check(wire.isWelcome || frame.event === '$hello', `${frame.event} before the welcome`);
      if (frame.id !== undefined) this.#isNew(frame.id);
      return;
    }
    const sent = this.all[Number(frame.event.slice(1))];
    if (sent) this.#message(wire, sent, frame);
  }

  delivered(socket: FakeWebSocket, data: unknown): void {
    const { ack, error, more } = JSON.parse(String(data)) as {
      ack?: string;
      error?: { retryable?: boolean };
      more?: true;
    };
    const wire = this.#wire(socket);
    if (ack === undefined || more) return;
    if (ack === wire.helloId && !error) return this.#welcomed(wire);
    const sent = this.#byId.get(ack);
    if (sent && wire.inFlight.delete(sent) && error?.retryable) sent.refusals++;
  }

  #message(wire: Wire, sent: Sent, { id = '', event }: Received): void {
    this.#check(wire.isWelcome, `${event} before the welcome`);
    this.#check(sent.settlings === 0, `${event} after it was settled`);
    this.#check(!wire.inFlight.has(sent), `${event} twice at the same time`);
    this.#check(sent.era === this.#era, `${event} after reset()`);
    this.#check(sent.principal === wire.principal, `${event} of ${sent.principal} as ${wire.principal}`);
    sent.clientId ??= wire.clientId;
    this.#check(sent.clientId === wire.clientId, `${event} under another identity`);
    this.#checkId(sent, id);
    this.#checkOrder(wire, sent);
    wire.inFlight.add(sent);
    this.#soon(() => {
      for (const other of wire.inFlight) if (other.settlings > 0) wire.inFlight.delete(other);
      this.#check(wire.inFlight.size <= this.maxInFlight, `${wire.inFlight.size} in flight`);
    });
  }

  #checkId(sent: Sent, id: string): void {
    if (sent.id === undefined) {
      this.#isNew(id);
      this.#byId.set(id, sent);
    }
    sent.id ??= id;
    this.#check(sent.id === id, `${sent.event} with another id`);
  }

  /** Nothing overtakes, but for what was answered by a retryable error. */
  #checkOrder(wire: Wire, sent: Sent): void {
    const before = this.all
      .slice(0, sent.index)
      .filter(({ settlings, id }) => settlings === 0 && id === undefined);
    this.#soon(() => {
      const overtaken = before.find(({ settlings }) => settlings === 0);
      this.#check(overtaken === undefined, `${sent.event} before ${overtaken?.event}`);
    });
    if (sent.refusals > 0) return;
    this.#check(sent.index > wire.last, `${sent.event} again behind m${wire.last}`);
    wire.last = sent.index;
  }

  #welcomed(wire: Wire): void {
    wire.isWelcome = true;
    this.#principal = wire.principal;
    for (const sent of this.all) if (sent.settlings === 0) sent.principal ??= wire.principal;
  }

  /** How a message of a former page has ended is told a moment after it has made way for others. */
  #soon(check: () => void): void {
    queueMicrotask(check);
  }

  #isNew(id: string): void {
    this.#check(!this.#otherIds.has(id), `${id} twice`);
    this.#otherIds.add(id);
  }

  #wire(socket: FakeWebSocket): Wire {
    let wire = this.#wires.get(socket);
    if (!wire) {
      wire = { isWelcome: false, inFlight: new Set(), last: -1 };
      this.#wires.set(socket, wire);
    }
    return wire;
  }

  #check(holds: boolean, fault: string): void {
    if (!holds) this.faults.push(fault);
  }
}
