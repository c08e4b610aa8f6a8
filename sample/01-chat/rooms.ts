import { ChannelsError, defineChannel } from 'nestjs-channels';

const ROOMS = new Set(['lobby', 'random', 'help']);
const KEPT_PER_ROOM = 100;
const KEPT_FOR_MS = 24 * 60 * 60 * 1_000;

/** A room, which keeps its last messages itself: as its history they are the same on all nodes. */
export const chat = defineChannel('chat:{room}', {
  history: { size: KEPT_PER_ROOM, ttlMs: KEPT_FOR_MS },
});

/** The name of the channel, where there is such a room. */
export function channelOf(room: string): string {
  if (ROOMS.has(room)) return chat.name({ room });
  throw new ChannelsError('unknown_channel', `There is no room "${room}".`);
}
