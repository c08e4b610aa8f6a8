import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChannelsModule } from 'nestjs-channels';
import { ChannelsClient, type WebSocketConstructor } from 'nestjs-channels/client';
import { CLOSE_CODES } from 'nestjs-channels/protocol';
import { HandshakeRefused, TestClient } from 'nestjs-channels/testing';
import { WebSocket } from 'ws';
import { SmokeGateway } from './smoke.gateway.js';

const HAS_OWN_WEB_SOCKET = 'WebSocket' in globalThis;

@Module({ imports: [ChannelsModule.forRoot()], providers: [SmokeGateway] })
class AppModule {}

/** How a peer without a token is sent away: one that can read a status, and one of our protocol. */
async function refusals(url: string): Promise<{ readonly status: number; readonly code: number }> {
  const ours = await TestClient.connect(url);
  const { code } = await ours.closed;
  try {
    await TestClient.connect(url, { protocols: [] });
  } catch (error) {
    if (error instanceof HandshakeRefused) return { status: error.statusCode, code };
    throw error;
  }
  throw new Error('A peer without a token was let in.');
}

/** A client that knows nothing of the package: frames, as with the stock adapter. */
async function plainEcho(url: string): Promise<{ readonly answer: unknown; readonly client: TestClient }> {
  const headers = { authorization: 'Bearer name-plain' };
  const client = await TestClient.connect(url, { protocols: [], headers });
  client.send({ event: 'echo', data: 'ä' });
  return { answer: await client.next(), client };
}

class Guest {
  readonly #client: ChannelsClient;
  /** Resolves with the code that has ended its connection; it does not come back then. */
  readonly ended: Promise<number | undefined>;

  constructor(
    url: string,
    private readonly name: string,
    constructor?: WebSocketConstructor,
  ) {
    const client = new ChannelsClient(url, {
      token: `name-${name}`,
      ...(constructor && { WebSocket: constructor }),
    });
    this.#client = client;
    this.ended = new Promise((resolve) => {
      client.on('$state', (state) => {
        if (state.name !== 'waiting') return;
        client.close();
        resolve(state.code);
      });
    });
  }

  async visit(): Promise<object> {
    const lobby = this.#client.channel('room:lobby');
    const heard = new Promise((resolve) => {
      const forget = lobby.on('said', (data) => {
        forget();
        resolve(data);
      });
    });
    const joined = await lobby.subscribe();
    const answer = await this.#client.send('say', `hello from ${this.name}`);
    return { joined, heard: await heard, answer };
  }
}

async function smoke(app: INestApplication): Promise<object> {
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/ws`;
  const refused = await refusals(url);
  const plain = await plainEcho(url);
  const withWs = new Guest(url, 'ws', WebSocket);
  const withOwn = HAS_OWN_WEB_SOCKET ? new Guest(url, 'own') : undefined;
  const [ws, own] = [await withWs.visit(), await withOwn?.visit()];
  await app.close();
  const ended = [(await plain.client.closed).code, await withWs.ended, await withOwn?.ended];
  const { code, verdict } = CLOSE_CODES.ServiceRestart;
  return { refused, plain: plain.answer, ws, own, ended, restart: { code, verdict } };
}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['fatal', 'error'] });
  const found = await smoke(app);
  const loader = typeof require === 'function' ? 'require' : 'import';
  process.stdout.write(`${JSON.stringify({ node: process.version, loader, ...found })}\n`);
}

// Where nothing fails, nothing ends the process: it is over when nothing of the application is left.
void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
