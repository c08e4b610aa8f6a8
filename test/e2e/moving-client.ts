import { ChannelsClient, type ClientState } from 'nestjs-channels/client';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** A socket that knows which node the proxy has taken it to. */
class ServedSocket extends WebSocket {
  /** Empty until a node has accepted it. */
  node = '';
  /** Why it has ended. */
  code?: number;

  constructor(url: string, protocols?: string[]) {
    super(url, protocols);
    // nginx names those first that it has asked in vain.
    this.on('upgrade', ({ headers }) => {
      this.node = String(headers['x-served-by']).split(', ').at(-1) ?? '';
    });
    this.on('close', (code) => {
      this.code = code;
    });
  }
}

/** A client of the chat behind a proxy, and all that becomes of its connections. */
export class MovingClient {
  readonly states: ClientState['name'][] = [];
  readonly sockets: ServedSocket[] = [];
  readonly texts: string[] = [];
  readonly #client: ChannelsClient;

  private constructor(
    origin: string,
    readonly token: string,
  ) {
    const { sockets } = this;
    class Counted extends ServedSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const url = `${origin.replace('http', 'ws')}/ws`;
    this.#client = new ChannelsClient(url, { token, WebSocket: Counted });
    onTestFinished(() => this.#client.close());
    this.#client.on('$state', ({ name }) => this.states.push(name));
  }

  /** Resolves when it is in the room. */
  static async open(origin: string, name: string): Promise<MovingClient> {
    const response = await fetch(`${origin}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    const { token } = (await response.json()) as { readonly token: string };
    const client = new MovingClient(origin, token);
    const room = client.#client.channel('chat:lobby');
    room.on('message', (message) => client.texts.push((message as { readonly text: string }).text));
    await room.subscribe();
    return client;
  }

  /** The node of the connection that it has now. */
  get node(): string {
    return this.sockets.findLast(({ readyState }) => readyState === WebSocket.OPEN)?.node ?? '';
  }

  /** Why its connections have ended. */
  get codes(): readonly number[] {
    return this.sockets.map(({ code }) => code).filter((code) => code !== undefined);
  }

  async write(text: string): Promise<void> {
    await this.#client.send('chat.send', { room: 'lobby', text });
  }
}
