import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelSocket, UseHandshakeGuards, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp, FaultProxy } from 'nestjs-channels/testing';
import { onTestFinished } from 'vitest';
import { goodTokens } from './client-app.js';
import { ClientPageModule } from './client-page.js';
import { Signal } from './client-signal.js';
import { Deferred } from './deferred.js';
import { CheckGuard } from './guarded-gateway.js';
import { startApp } from './start-app.js';

/** What an acked handler has done, in order: who has ordered what. */
export class Shop extends Signal {
  readonly effects: string[] = [];
  /** Nothing that begins is answered before this. */
  open: Promise<void> = Promise.resolve();

  did(effect: string): void {
    this.effects.push(effect);
    this.tell();
  }
}

export interface ShopApp {
  readonly app: ChannelsTestApp;
  readonly shop: Shop;
  /** Between the client and the server; the page itself comes by another way, also when this one is cut. */
  readonly proxy: FaultProxy;
  /** Ends the network of the clients, and brings it back. */
  readonly network: { cut(): void; heal(): void };
  readonly pageUrl: string;
}

/** An application whose acked handler must run once per message; ends with the test. */
export async function startShop(channels: ChannelsModuleOptions = {}): Promise<ShopApp> {
  const shop = new Shop();
  const app = await startApp({
    imports: [ClientPageModule],
    providers: [shopGateway(shop)],
    channels: { allowedOrigins: '*', ...channels },
  });
  const proxy = await app.proxy();
  const network = {
    cut: (): void => {
      proxy.refuse = true;
      proxy.reset();
    },
    heal: (): void => void (proxy.refuse = false),
  };
  return { app, shop, proxy, network, pageUrl: `http://127.0.0.1:${app.port}/?${proxy.port}` };
}

/** Closes the shop: what is ordered is written down and answered when it opens again. */
export function closeShop(shop: Shop): () => void {
  const opening = new Deferred();
  shop.open = opening.promise;
  onTestFinished(() => opening.resolve());
  return () => opening.resolve();
}

function shopGateway(shop: Shop): new () => unknown {
  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards(new CheckGuard(goodTokens))
  class ShopGateway {
    @SubscribeMessage('order')
    @Acked()
    async order(@MessageBody() item: string, @ConnectedSocket() socket: ChannelSocket): Promise<string> {
      shop.did(`${socket.principal}: ${item}`);
      await shop.open;
      return `sold ${item}`;
    }
  }

  return ShopGateway;
}
