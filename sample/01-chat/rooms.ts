import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ChannelsError } from 'nestjs-channels';

const ROOMS = ['lobby', 'random', 'help'];
const KEPT_PER_ROOM = 100;

export interface Message {
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly at: string;
}

/** The rooms that there are, and the last messages of each. */
@Injectable()
export class Rooms {
  private readonly messages = new Map<string, Message[]>(ROOMS.map((room) => [room, []]));

  recent(room: string): readonly Message[] {
    return this.messagesOf(room);
  }

  add(room: string, { from, text }: Pick<Message, 'from' | 'text'>): Message {
    const messages = this.messagesOf(room);
    const message = { id: randomUUID(), from, text, at: new Date().toISOString() };
    messages.push(message);
    if (messages.length > KEPT_PER_ROOM) messages.shift();
    return message;
  }

  private messagesOf(room: string): Message[] {
    const messages = this.messages.get(room);
    if (!messages) throw new ChannelsError('unknown_channel', `There is no room "${room}".`);
    return messages;
  }
}
