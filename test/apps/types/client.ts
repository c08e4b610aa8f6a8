import {
  ChannelsClient,
  ChannelsClientError,
  type Channel,
  type ChannelApi,
  type ChannelsClientOptions,
  type ClientApi,
  type ClientState,
  type Publication,
  type SendOptions,
  type TokenSource,
  type WebSocketConstructor,
  type WebSocketLike,
} from 'nestjs-channels/client';

interface Room extends ChannelApi {
  joined: readonly string[];
  events: { said: { text: string } };
}

interface ChatApi extends ClientApi {
  messages: { 'chat.send': (data: { text: string }) => { id: number }; 'rooms.list': () => string[] };
  events: { notice: string };
  channels: { 'chat:{room}': Room };
}

class SilentSocket implements WebSocketLike {
  onopen: unknown = null;
  onmessage: unknown = null;
  onclose: unknown = null;
  onerror: unknown = null;
  readonly readyState = 0;
  send(data: string): void {
    void data;
  }
  close(): void {}
}

const token: TokenSource = async ({ refresh }) => (refresh ? undefined : 'token');
const socket: WebSocketConstructor = SilentSocket;
const options: ChannelsClientOptions = { token, WebSocket: socket, maxRetries: 3 };
// @ts-expect-error the servers are called 'channels' and 'plain'
export const wrongOptions: ChannelsClientOptions = { server: 'stock' };

const client = new ChannelsClient<ChatApi>('wss://chat.example.com/ws', options);
const lobby: Channel<Room> = client.channel('chat:lobby');

export async function talk(settings: SendOptions): Promise<number> {
  client.on('notice', (text) => text.trim());
  client.on('$state', (state: ClientState) => state.name === 'waiting' && state.delayMs.toFixed());
  lobby.on('said', ({ text }, publication: Publication<Room>) => [text.trim(), publication.channel.trim()]);
  const joined: readonly string[] = await lobby.subscribe();
  const rooms: string[] = await client.send('rooms.list');
  const { id } = await client.send('chat.send', { text: 'hello' }, settings);
  // @ts-expect-error the handler takes a text
  await client.send('chat.send', { text: 1 });
  // @ts-expect-error there is no such message
  await client.send('chat.shout', { text: 'HELLO' });
  // @ts-expect-error there is no such publication
  lobby.on('whispered', () => undefined);
  for await (const { data } of lobby) if (data.text === '') break;
  return id + rooms.length + joined.length;
}

export function isForbidden(error: unknown): boolean {
  return error instanceof ChannelsClientError && error.code === 'forbidden';
}
