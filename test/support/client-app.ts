import { UnauthorizedException, UsePipes, ValidationPipe } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import { IsInt, IsString } from 'class-validator';
import {
  ChannelSocket,
  ChannelsService,
  SubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import { ClientPageModule } from './client-page.js';
import { Deferred } from './deferred.js';
import { CheckGuard, type Check } from './guarded-gateway.js';
import { Signal } from './client-signal.js';
import { startApp } from './start-app.js';

export const CHANNEL = 'desk:one';

/** A frame that the server has read, in the order of arrival over all connections. */
export interface ReadFrame {
  readonly principal: string;
  readonly event: string;
  readonly id?: string;
  readonly data?: unknown;
}

class Note {
  @IsString()
  text!: string;

  @IsInt()
  n!: number;
}

/** What the gateway has read, and who is let in. A test changes `check` while it runs. */
export class Desk extends Signal {
  readonly frames: ReadFrame[] = [];
  readonly ended = new Deferred();

  constructor(public check: Check) {
    super();
  }

  read(frame: ReadFrame): void {
    this.frames.push(frame);
    this.tell();
  }

  /** The data of all messages of one event, in the order of arrival. */
  dataOf(event: string): unknown[] {
    return this.frames.filter((frame) => frame.event === event).map(({ data }) => data);
  }

  /** The identities that clients have told by `$hello`. */
  get clientIds(): string[] {
    return (this.dataOf('$hello') as { readonly clientId: string }[]).map(({ clientId }) => clientId);
  }
}

/** Lets in who has the token `<name>-good`, under that name. */
export const goodTokens: Check = (request) => {
  const name = /^Bearer (\w+)-good$/.exec(request.headers.authorization ?? '')?.[1];
  if (name === undefined) throw new UnauthorizedException('a bad token');
  request.user = { sub: name };
  return true;
};

/** Lets everybody in, anonymously. */
export const everybody: Check = () => true;

export interface ClientApp {
  readonly app: ChannelsTestApp;
  readonly desk: Desk;
  readonly url: string;
  /** Where a page is that has the client as `window.channels`. */
  readonly pageUrl: string;
}

/** An application for the client to talk to; ends with the test. */
export async function startClientApp(check: Check, channels: ChannelsModuleOptions = {}): Promise<ClientApp> {
  const desk = new Desk(check);
  const app = await startApp({
    imports: [ClientPageModule],
    providers: [{ provide: Desk, useValue: desk }, deskGateway(desk)],
    channels,
  });
  onTestFinished(() => desk.ended.resolve());
  // Clients come through the proxy; a test of faults makes one of its own.
  const proxy = await app.proxy();
  return { app, desk, url: proxy.url('/ws'), pageUrl: `http://127.0.0.1:${app.port}/` };
}

/** A gateway that writes down what it reads, and repeats in a channel what it is told. */
function deskGateway(desk: Desk): new (channels: ChannelsService) => unknown {
  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards(new CheckGuard((request, response) => desk.check(request, response)))
  class DeskGateway implements OnGatewayConnection<ChannelSocket> {
    constructor(private readonly channels: ChannelsService) {}

    handleConnection(socket: ChannelSocket): void {
      const { principal } = socket;
      // The raw frames, commands included: the socket of a connection is also that of `ws`.
      (socket as unknown as WebSocket).on('message', (bytes) =>
        desk.read({ principal, ...(JSON.parse(String(bytes)) as Omit<ReadFrame, 'principal'>) }),
      );
    }

    @SubscribeMessage('say')
    async say(@MessageBody() text: string): Promise<string> {
      await this.channels.publish(CHANNEL, 'said', text);
      return `heard ${text}`;
    }

    @SubscribeMessage('note')
    @UsePipes(ValidationPipe)
    note(@MessageBody() { n }: Note): number {
      return n + 1;
    }

    /** Answers nothing before the end of the test. */
    @SubscribeMessage('hang')
    hang(): Promise<void> {
      return desk.ended.promise;
    }

    @SubscribeMessage('deep')
    deep(): string {
      return 'deep enough';
    }

    @SubscribeMessage('bye')
    bye(@ConnectedSocket() socket: ChannelSocket, @MessageBody() code?: number): void {
      socket.close(code);
    }

    /** Ends the connection without a close frame. */
    @SubscribeMessage('drop')
    drop(@ConnectedSocket() socket: ChannelSocket): void {
      (socket as unknown as WebSocket).terminate();
    }

    @SubscribeChannel(CHANNEL)
    join(): string {
      return 'welcome';
    }
  }

  return DeskGateway as new (channels: ChannelsService) => unknown;
}
