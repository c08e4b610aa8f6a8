import { Bus } from './bus.js';
import { Chance } from './chance.js';
import type { History } from './commands.js';
import { Facts } from './facts.js';
import { Line } from './network.js';
import { Node } from './node.js';
import { Person } from './person.js';
import { hasHistory, HISTORY, OPTIONS, type ChannelName } from './rules.js';
import { SharedStore } from './store.js';
import { OwnClock, Time } from './time.js';

/** Room for four answers, where a history is tight. */
const TIGHT_BYTES = 2_600;

/** Nodes, clients, and what lies between them, all in one process. */
export class World {
  readonly time = new Time();
  readonly facts = new Facts(this.time);
  readonly chance: Chance;
  readonly bus: Bus;
  readonly store: SharedStore;
  readonly wireClock = new OwnClock(this.time);
  readonly nodes: Node[] = [];
  readonly people: Person[] = [];
  readonly lines: Line[] = [];
  /** Nodes that are being shut down. */
  readonly leaving = new Set<Node>();
  /** Channels of which a frame was lost on a connection that lives on. */
  readonly owed = new Set<ChannelName>();
  readonly #forbidden = new Set<string>();
  /** How long the method of a channel takes. */
  joinMs: number;
  #ids = 0;
  #numbers = 0;

  constructor({ seed, nodes, people, joinMs, isTight }: History) {
    this.chance = new Chance(seed ^ 0x5e_ed);
    this.joinMs = joinMs;
    const isRemote = nodes > 1;
    const random = { next: () => this.chance.next(), id: () => `epoch-${++this.#ids}` };
    this.bus = new Bus(this.facts, random, isRemote);
    this.store = new SharedStore(this.facts, isTight ? TIGHT_BYTES : OPTIONS.maxDedupBytes, isRemote);
    for (let at = 0; at < nodes; at++) this.startNode(at);
    for (let at = 0; at < people; at++) this.people.push(new Person(this, at));
  }

  get number(): number {
    return ++this.#numbers;
  }

  startNode(at: number): void {
    const random = { next: () => this.chance.next(), id: () => `id-${++this.#ids}` };
    const node = new Node(this, random);
    this.nodes[at] = node;
    void node.engine.start();
  }

  nodeAt(at: number): Node {
    return this.nodes[at % this.nodes.length] as Node;
  }

  personAt(at: number): Person {
    return this.people[at % this.people.length] as Person;
  }

  /** A process dies without a word. */
  kill(node: Node): void {
    node.die();
    for (const line of this.lines) if (line.node === node) line.cut('both', 1);
  }

  publish(channel: ChannelName, node: Node, bytes = 0, key?: string): void {
    const data = JSON.stringify({ u: this.number, pad: 'x'.repeat(bytes) });
    const rule = hasHistory(channel) ? { history: HISTORY, key } : undefined;
    void node.engine.hub.broker.publish({ channel, event: 'p', data }, rule);
  }

  forbid(principal: string, channel: string): void {
    this.#forbidden.add(`${principal} ${channel}`);
  }

  allow(principal: string, channel: string): void {
    this.#forbidden.delete(`${principal} ${channel}`);
  }

  forbids(principal: string, channel: string): boolean {
    return this.#forbidden.has(`${principal} ${channel}`);
  }

  // What lines tell

  wrote(line: Line, text: string): void {
    if (text.startsWith('{"event":"$hello"')) line.wire.saysToBe = clientIdOf(text);
    if (!text.startsWith('{"event":"$')) this.#ownerOf(line)?.wrote(line, text);
  }

  /** The client is told to send a message again. */
  turnedAway(line: Line, id: string, code: string): void {
    const call = this.#ownerOf(line)?.calls.find((each) => each.id === id);
    if (!call) return;
    call.isTurnedAway = true;
    call.isLimited ||= code === 'rate_limited';
  }

  lostFrame(line: Line, text: string): void {
    const { channel } = JSON.parse(text) as { readonly channel: ChannelName };
    if (this.#ownerOf(line)) this.owed.add(channel);
  }

  welcomed(line: Line): void {
    this.#ownerOf(line)?.welcomed(line);
  }

  /** Whom the client was taken for before this connection. */
  formerPrincipal(line: Line): string | undefined {
    const welcomes = this.#ownerOf(line)?.welcomes ?? [];
    return welcomes[welcomes.indexOf(line) - 1]?.principal;
  }

  #ownerOf(line: Line): Person | undefined {
    return this.people.find(({ lines }) => lines.includes(line));
  }
}

function clientIdOf(hello: string): string {
  return (JSON.parse(hello) as { readonly data: { readonly clientId: string } }).data.clientId;
}
