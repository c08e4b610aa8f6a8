import type { AddressInfo } from 'node:net';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { onTestFinished } from 'vitest';
import { ClientPageModule } from './client-page.js';

@WebSocketGateway({ path: '/ws' })
class EchoGateway {
  readonly received: unknown[] = [];

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): object {
    this.received.push(data);
    return { event: 'reply', data };
  }
}

export interface StockApp {
  readonly url: string;
  readonly pageUrl: string;
  /** What the gateway has been told. */
  received(): readonly unknown[];
}

/** An application that has never heard of us: the stock adapter, and no module of ours. Ends with the test. */
export async function startStockApp(): Promise<StockApp> {
  const module = await Test.createTestingModule({
    imports: [ClientPageModule],
    providers: [EchoGateway],
  }).compile();
  const nest = module.createNestApplication();
  nest.useWebSocketAdapter(new WsAdapter(nest));
  onTestFinished(() => nest.close());
  await nest.listen(0, '127.0.0.1');
  const { port } = (nest.getHttpServer() as { address(): AddressInfo }).address();
  return {
    url: `ws://127.0.0.1:${port}/ws`,
    pageUrl: `http://127.0.0.1:${port}/`,
    received: () => nest.get(EchoGateway).received,
  };
}
