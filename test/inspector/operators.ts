import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import type { ChannelsTestApp, ChannelsTestAppOptions, TestClient } from 'nestjs-channels/testing';
import type { NodeFigures } from '../../lib/inspector/figures.js';
import { startApp } from '../support/start-app.js';

export const CHANNEL = 'nestjs-channels:inspector:figures';

/** The password of HTTP that lets an operator in. */
export const OPERATOR = { authorization: `Basic ${Buffer.from('olga:secret').toString('base64')}` };

interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly url: string;
  user?: unknown;
}

/** Knows one operator, by a header that browsers send with pages and sockets alike. */
@Injectable()
export class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (request.headers['authorization'] !== OPERATOR.authorization) throw new UnauthorizedException();
    request.user = { id: 'olga' };
    return true;
  }
}

@Injectable()
export class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const id = request.url.split('user=')[1];
    if (id !== undefined) request.user = { id };
    return true;
  }
}

/** What is inspected. */
@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(UserGuard)
export class RoomGateway {
  @SubscribeChannel('chat:{room}')
  join(): void {}

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

/** An application with an inspector for operators. */
export function startInspected(options: Partial<ChannelsTestAppOptions> = {}): Promise<ChannelsTestApp> {
  return startApp({
    ...options,
    imports: [ChannelsInspectorModule.forRoot({ guards: [OperatorGuard] }), ...(options.imports ?? [])],
    providers: [RoomGateway, UserGuard, ...(options.providers ?? [])],
  });
}

/** The socket of a page that an operator has opened. */
export function openInspector(app: ChannelsTestApp): Promise<TestClient> {
  return app.connect('/inspector/ws', { headers: OPERATOR });
}

/** The data of a publication that fits. */
export async function figuresOf(
  page: TestClient,
  fits: (figures: NodeFigures) => boolean = () => true,
): Promise<NodeFigures> {
  const frame = await page.waitFor((received: unknown) => {
    const { channel, data } = received as { channel?: string; data: NodeFigures };
    return channel === CHANNEL && fits(data);
  });
  return (frame as { data: NodeFigures }).data;
}
