import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelSocket, UseHandshakeGuards, type HandshakeRequest } from 'nestjs-channels';

/** As much of the response as guards use. */
export interface HandshakeResponse {
  setHeader(name: string, value: string | readonly string[]): unknown;
}

/** What a guard does with a handshake. */
export type Check = (request: HandshakeRequest, response: HandshakeResponse) => boolean | Promise<boolean>;

/** Who a client is, as a handler sees it. */
export interface Whoami {
  readonly user: unknown;
  readonly principal: string;
  readonly params: unknown;
  readonly data: unknown;
}

/** A handshake guard that does what the test says. */
export class CheckGuard implements CanActivate {
  constructor(private readonly check: Check) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    return this.check(http.getRequest<HandshakeRequest>(), http.getResponse<HandshakeResponse>());
  }
}

/** A base for gateways whose clients ask who they are. */
export abstract class WhoamiGateway {
  @SubscribeMessage('whoami')
  whoami(@ConnectedSocket() { user, principal, params, data }: ChannelSocket): Whoami {
    return { user, principal, params, data };
  }
}

/** A gateway behind a guard that does what the test says. */
export function guardedGateway(check: Check, path = '/ws'): Type<WhoamiGateway> {
  @WebSocketGateway({ path })
  @UseHandshakeGuards(new CheckGuard(check))
  class GuardedGateway extends WhoamiGateway {}

  return GuardedGateway;
}
