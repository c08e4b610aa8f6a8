import type { AckFrame } from 'nestjs-channels/protocol';
import type { ChannelsTestApp, ChannelsTestAppOptions, TestClient } from 'nestjs-channels/testing';
import { onTestFinished } from 'vitest';
import { RoomGateway } from './room.gateway.js';
import { startApp } from './start-app.js';

const FENCE = 'fence';

/** An application with rooms, and a client in front of it. */
export interface Room {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly room: RoomGateway;
}

/** Starts an application with rooms and nobody in them. */
export async function startRooms(options: ChannelsTestAppOptions = {}): Promise<Omit<Room, 'client'>> {
  const app = await startApp({ ...options, providers: [RoomGateway, ...(options.providers ?? [])] });
  const room = app.nest.get(RoomGateway);
  // A shutdown waits for methods that run.
  onTestFinished(() => room.joins.all.forEach((call) => call.resolve()));
  return { app, room };
}

export async function startRoom(options: ChannelsTestAppOptions = {}): Promise<Room> {
  const { app, room } = await startRooms(options);
  return { app, room, client: await app.connect('/ws') };
}

/** Sends a command with an id of the test's choice, and waits for nothing. */
export function ask(
  client: TestClient,
  event: '$subscribe' | '$unsubscribe',
  id: string,
  channel = 'room:1',
): void {
  client.send({ event, id, data: { channel } });
}

/** Sends `$subscribe` and lets its method succeed. */
export async function enter(
  { client, room }: Pick<Room, 'client' | 'room'>,
  channel: string,
  state?: unknown,
): Promise<AckFrame> {
  const answer = client.subscribe(channel);
  (await room.joins.next()).resolve(state);
  return answer;
}

/**
 * All that the server has sent up to now. Frames keep their order, so the answer to a `$ping` comes behind
 * whatever was sent before.
 */
export async function framesOf(client: TestClient): Promise<readonly unknown[]> {
  await client.request('$ping', undefined, { id: FENCE });
  return client.frames.filter((frame) => (frame as { readonly ack?: unknown }).ack !== FENCE);
}

/** A publication as subscribers get it. */
export function publication(channel: string, data: unknown): object {
  return { channel, event: 'message', data };
}

/** The ack of a subscription command as clients get it. */
export function acked(ack: string, data?: unknown, channel = 'room:1'): object {
  return { ack, data: data === undefined ? { channel } : { channel, data } };
}

export function publish({ app }: Pick<Room, 'app'>, data: unknown, channel = 'room:1'): Promise<void> {
  return app.channels.publish(channel, 'message', data);
}

/** The ids of the connections that are in a channel. */
export async function subscribersOf({ app }: Pick<Room, 'app'>, channel = 'room:1'): Promise<string[]> {
  const { subscribers } = await app.channels.subscribers(channel);
  return subscribers.map(({ id }) => id);
}
