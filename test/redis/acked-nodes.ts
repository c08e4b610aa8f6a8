import { Injectable } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { startApp } from '../support/start-app.js';

const CLIENT = 'c'.repeat(22);

/** What the methods of all nodes do, and how often they have. */
@Injectable()
export class Script {
  readonly ran: unknown[] = [];
  method: (data: unknown) => unknown = (data) => data;
}

@WebSocketGateway({ path: '/ws' })
class PayGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('pay')
  @Acked()
  pay(@MessageBody() data: unknown): unknown {
    this.script.ran.push(data);
    return this.script.method(data);
  }
}

/** Two nodes, and a client of the same name at each. */
export interface AckedNodes {
  readonly script: Script;
  readonly a: TestClient;
  readonly b: TestClient;
}

/** Two nodes, and a client of the same name at each. */
export async function startTwo(options: () => ChannelsModuleOptions): Promise<AckedNodes> {
  const script = new Script();
  const start = (): Promise<ChannelsTestApp> =>
    startApp({
      providers: [PayGateway, { provide: Script, useValue: script }],
      channels: options(),
    });
  const nodes = [await start(), await start()];
  const clients = nodes.map(async (node) => {
    const client = await node.connect('/ws', { timeoutMs: 15_000 });
    await client.hello({ clientId: CLIENT });
    return client;
  });
  const [a, b] = (await Promise.all(clients)) as [TestClient, TestClient];
  return { script, a, b };
}
