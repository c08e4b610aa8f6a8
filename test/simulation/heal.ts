import {
  checkCalls,
  checkCurrent,
  checkNothingLeft,
  checkNoTimers,
  checkRoom,
  isAtRest,
} from './invariants.js';
import { CHANNELS, HISTORY, OPTIONS } from './rules.js';
import type { World } from './world.js';

/** Time in which a client that hears nothing is back, a position compared, and what was lost read. */
const CONVERGED_MS = 45_000;

/** Time in which the oldest message has expired, and the slowest handler ended. */
const SETTLED_MS = 300_000;

/** What was said last has arrived, and been answered. */
const UNDER_WAY_MS = 300;

/** The network is well again: whether everything comes to its end, and is as was promised. */
export async function keepsPromises(world: World, seed: number): Promise<void> {
  const { facts, time } = world;
  const isBroken = (): boolean => facts.violations.length > 0;
  heal(world);
  const converges = async (): Promise<void> => {
    await until(world, () => isBroken() || world.people.every(({ isCurrent }) => isCurrent), CONVERGED_MS);
    checkCurrent(world);
  };
  await converges();
  if (isBroken()) return;
  await until(world, () => isBroken() || isAtRest(world), SETTLED_MS);
  checkCalls(world);
  checkRoom(world);
  if (isBroken()) return;
  // Whoever is in gets what comes next.
  for (const channel of CHANNELS) {
    if (world.people.some(({ wants }) => wants.has(channel))) world.publish(channel, world.nodeAt(0));
  }
  await time.advance(20);
  world.bus.checkRoom();
  await converges();
  if (!isBroken()) await leave(world, seed);
}

function heal(world: World): void {
  for (const person of world.people) person.heal();
  world.joinMs = 0;
  world.bus.doom('arrives', undefined);
  for (const channel of world.owed) world.publish(channel, world.nodeAt(0));
}

/** Everybody goes, and the processes end. */
async function leave(world: World, seed: number): Promise<void> {
  const { time, nodes, people, lines } = world;
  for (const person of people) person.goes();
  for (const line of lines) line.socket.close(1_000);
  const isEmpty = (): boolean =>
    nodes.every(({ engine, running }) => engine.connections.size + engine.claims.size + running === 0);
  await until(world, isEmpty, SETTLED_MS);
  await time.advance(UNDER_WAY_MS);
  checkNothingLeft(world);
  if (seed % 16 === 0) {
    await time.advance(OPTIONS.dedupWindowMs + HISTORY.ttlMs);
    world.store.checkEmpty();
    world.bus.checkForgotten();
  }
  for (const { engine } of nodes) void engine.shutdown();
  await time.advance(5);
  checkNoTimers(world);
  world.bus.close();
  world.store.close();
}

async function until({ time }: World, isDone: () => boolean, mostMs: number): Promise<void> {
  const end = time.now + mostMs;
  for (let step = 5; !isDone() && time.now < end; step = Math.min(1_000, step * 4)) await time.advance(step);
}
