import { keepsPromises } from './heal.js';
import type { Command, History } from './commands.js';
import type { Violation } from './facts.js';
import { checkRoom } from './invariants.js';
import { Line } from './network.js';
import type { Call, Person } from './person.js';
import { World } from './world.js';

/** Plays a history, heals what it has broken, and says the first promise that was not kept. */
export async function play(history: History): Promise<Violation | undefined> {
  const world = new World(history);
  const { violations } = world.facts;
  await begin(world);
  for (const command of history.commands) {
    perform(world, command);
    if (command.type === 'pass') await world.time.advance(command.ms);
    else await world.time.settle();
    checkRoom(world);
    if (violations.length > 0) return violations[0];
  }
  await keepsPromises(world, history.seed);
  return violations[0];
}

/** Everybody is there, and in a channel. */
async function begin(world: World): Promise<void> {
  for (const person of world.people) {
    person.join('room:a');
    if (person.index > 0) person.join('live:a');
  }
  await world.time.advance(20 + world.joinMs);
}

function perform(world: World, command: Command): void {
  switch (command.type) {
    case 'publish': {
      const { channel, from, at, fate, key, bytes } = command;
      world.bus.doom(fate, world.nodeAt(at).broker);
      return world.publish(channel, world.nodeAt(from), bytes, key);
    }
    case 'burst':
      for (let at = 0; at < command.count; at++)
        world.publish(command.channel, world.nodeAt(at), command.bytes);
      return undefined;
    case 'copy':
      return copy(world, command.pick, command.how);
    case 'replay as another':
      return replayAsAnother(world, command.pick, command.node);
    case 'forbid':
    case 'allow':
      return world[command.type](command.as, command.channel);
    case 'slow joins':
      world.joinMs = command.ms;
      return undefined;
    case 'crash':
    case 'deploy':
    case 'restart':
    case 'forget':
      return outage(world, command);
    case 'pass':
      return undefined;
    default:
      return performAs(world, world.personAt(command.who), command);
  }
}

type PersonalCommand = Extract<Command, { readonly who: number }>;

function performAs(world: World, person: Person, command: PersonalCommand): void {
  const { client, line } = person;
  switch (command.type) {
    case 'send':
      return person.send(command.event, { ...command.work, n: world.number }, command.timeoutMs);
    case 'emit':
      return void client.emit('work', { n: world.number, ms: command.ms, fails: 'no', times: 0, guardMs: 0 });
    case 'join':
    case 'leave':
    case 'reload':
      return person[command.type](command.channel);
    case 'server joins':
      if (command.channel === 'push:a') person.join('push:a');
      if (line && person.wants.has(command.channel)) line.node.join(line, command.channel);
      return undefined;
    case 'server leaves':
      return line?.node.leave(line, command.channel);
    case 'kick':
      return line?.node.close(line, command.code);
    case 'cut':
      if (command.to !== undefined) person.home = command.to;
      return line?.cut(command.how, command.lagMs);
    case 'darken':
      return line?.darken();
    case 'lag':
      person.latencyMs = command.ms;
      if (line) line.latencyMs = command.ms;
      return undefined;
    case 'frame':
      if (line) line.nextFrame = command.fate;
      return undefined;
    case 'log in':
      person.principal = command.as;
      if (command.how === 'reset') person.reset();
      else line?.cut('both', 1);
      return undefined;
    case 'close':
    case 'connect':
      return client[command.type]();
  }
}

/** A message that was written arrives once more, or something else under its id. */
function copy(world: World, pick: number, how: 'same' | 'other data' | 'other event'): void {
  const found = pickCall(world, pick);
  if (!found) return;
  const { person, call, text } = found;
  const known = person.lines.filter((line) => line.isKnown && line.wire.clientId !== '');
  const line = known[pick % known.length];
  if (!line) return;
  if (how === 'same') {
    line.toServer(text);
    return;
  }
  // While the client waits it would take the conflict for its answer.
  if (call.state === 'waits' || call.event === 'plain') return;
  const frame = JSON.parse(text) as { event: string; data: { n: number } };
  if (how === 'other data') frame.data.n = world.number;
  else frame.event = frame.event === 'work' ? 'beside' : 'work';
  line.toServer(JSON.stringify(frame));
}

/** Somebody who has heard a message, and the name of its client, says it as somebody else. */
function replayAsAnother(world: World, pick: number, node: number): void {
  const found = pickCall(world, pick);
  if (!found) return;
  const { text } = found;
  const clientId = found.person.line?.wire.clientId;
  if (!clientId) return;
  const line = new Line(world.nodeAt(node), 'eve', world.wireClock, 1);
  world.lines.push(line);
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a WebSocketLike has no other
  line.socket.onopen = (): void => {
    line.socket.send(JSON.stringify({ event: '$hello', id: 'hello', data: { clientId } }));
    line.socket.send(text);
  };
}

interface Written {
  readonly person: Person;
  readonly call: Call;
  readonly text: string;
}

/** Of the messages that were written; the latest is the first. */
function pickCall(world: World, pick: number): Written | undefined {
  const found = world.people.flatMap((person) =>
    person.calls.flatMap((call) => (call.text === undefined ? [] : [{ person, call, text: call.text }])),
  );
  return found[found.length - 1 - (pick % Math.max(1, found.length))];
}

function outage(
  world: World,
  command: Extract<Command, { type: 'crash' | 'deploy' | 'restart' | 'forget' }>,
): void {
  switch (command.type) {
    case 'crash': {
      const at = command.node % world.nodes.length;
      world.kill(world.nodeAt(at));
      if (!world.bus.isRemote) forgetAll(world);
      return world.startNode(at);
    }
    case 'restart':
      for (const node of world.nodes) world.kill(node);
      forgetAll(world);
      return world.nodes.forEach((_node, at) => world.startNode(at));
    case 'forget':
      // In one process the history goes with the process.
      if (!world.bus.isRemote) return undefined;
      world.bus.forget();
      return world.publish('room:a', world.nodeAt(0));
    case 'deploy':
      return deploy(world, command.node % world.nodes.length);
  }
}

/** A node is shut down, and another one takes its place. */
function deploy(world: World, at: number): void {
  const node = world.nodeAt(at);
  if (world.leaving.has(node)) return;
  world.leaving.add(node);
  void node.engine.shutdown().then(() => {
    world.leaving.delete(node);
    if (!node.isUp) return;
    world.kill(node);
    if (!world.bus.isRemote) forgetAll(world);
    world.startNode(at);
  });
}

function forgetAll(world: World): void {
  world.bus.forget();
  world.store.forget();
}
