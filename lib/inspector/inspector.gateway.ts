import { Logger, type CanActivate, type Type } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { defineOwnChannel } from '../core/channel-definition.js';
import { ChannelSocket } from '../core/channel-socket.js';
import type { ConnectionSummary } from '../core/connection-filter.js';
import { ChannelsService } from '../nest/channels.service.js';
import { Acked } from '../nest/decorators/acked.decorator.js';
import { SubscribeChannel } from '../nest/decorators/subscribe-channel.decorator.js';
import { UseHandshakeGuards } from '../nest/decorators/use-handshake-guards.decorator.js';
import { oneLine, quote } from '../nest/log-text.js';
import {
  INSPECTOR_CHANNEL,
  LISTED,
  type ConnectionList,
  type ListedConnection,
  type Outcome,
} from './figures.js';
import { OwnPageGuard } from './own-page.guard.js';
import { parseConnectionId, parsePrincipal, parseQuery } from './parse-command.js';

/** One definition for all nodes. A page that is slow needs the newest figures only. */
const FIGURES = defineOwnChannel(INSPECTOR_CHANNEL, { overflow: 'latest' });

type Guard = Type<CanActivate> | CanActivate;

/** The gateway of a page. A class for each path: Nest reads it from the decorator. */
export function inspectorGateway(path: string, guards: readonly Guard[]): Type {
  @WebSocketGateway({ path })
  @UseHandshakeGuards(OwnPageGuard, ...guards)
  class InspectorGateway {
    readonly #logger = new Logger('Channels');

    constructor(private readonly channels: ChannelsService) {}

    /** The handshake guards have said who may look; the inspector sees who is there. */
    @SubscribeChannel(FIGURES)
    join(): void {}

    @SubscribeMessage('inspector.connections')
    async list(
      @MessageBody() body: unknown,
      @ConnectedSocket() client: ChannelSocket,
    ): Promise<ConnectionList> {
      const limit = LISTED.connections;
      const found = await this.channels.connections(parseQuery(body), { limit });
      return {
        connections: found.connections.slice(0, limit).map(listed),
        more: found.more || found.connections.length > limit,
        missing: found.nodes.missing,
        own: client.id,
      };
    }

    @SubscribeMessage('inspector.disconnect')
    @Acked()
    async disconnect(
      @MessageBody() body: unknown,
      @ConnectedSocket() client: ChannelSocket,
    ): Promise<Outcome> {
      const connectionId = parseConnectionId(body);
      return this.#end(client, `disconnected ${quote(connectionId)}`, () =>
        this.channels.disconnect({ connectionId }),
      );
    }

    @SubscribeMessage('inspector.revoke')
    @Acked()
    async revoke(@MessageBody() body: unknown, @ConnectedSocket() client: ChannelSocket): Promise<Outcome> {
      const principal = parsePrincipal(body);
      return this.#end(client, `revoked the sessions of ${quote(principal)}`, () =>
        this.channels.revoke({ principal }),
      );
    }

    /** Leaves a line in either case: what fails may have closed connections before. */
    async #end(
      { principal }: ChannelSocket,
      what: string,
      work: () => ReturnType<ChannelsService['disconnect']>,
    ): Promise<Outcome> {
      const who = principal === '' ? 'somebody' : quote(principal);
      try {
        const { disconnected, nodes } = await work();
        this.#logger.log(`inspector: ${who} has ${what}, connections closed: ${disconnected}`);
        return { disconnected, missing: nodes.missing };
      } catch (error) {
        const text = oneLine(error instanceof Error ? error.message : String(error));
        this.#logger.warn(`inspector: ${who} has ${what}, which has failed at least in part: ${text}`);
        throw error;
      }
    }
  }
  return InspectorGateway;
}

function listed({ id, principal, path, channels }: ConnectionSummary): ListedConnection {
  return {
    id,
    principal,
    path,
    channels: channels.slice(0, LISTED.channelsOfConnection),
    channelCount: channels.length,
  };
}
