import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { expect } from 'vitest';
import { watchProcess } from './process-faults.js';
import { startApp } from './start-app.js';

/** The longest event that is accepted, by default. */
export const MAX_EVENT_LENGTH = 128;

@WebSocketGateway({ path: '/ws' })
class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echoed', data };
  }

  @SubscribeMessage('e'.repeat(MAX_EVENT_LENGTH))
  longest(): string {
    return 'longest';
  }

  @SubscribeMessage('e'.repeat(MAX_EVENT_LENGTH + 1))
  tooLong(): string {
    return 'never';
  }

  @SubscribeChannel('room:{id}')
  join(): void {}
}

/** A client that misbehaves, one that does not, and what has reached the process meanwhile. */
export interface HostileRig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly bystander: TestClient;
  readonly faults: readonly unknown[];
}

export async function startHostile(channels?: ChannelsModuleOptions): Promise<HostileRig> {
  const faults = watchProcess();
  const app = await startApp({ providers: [EchoGateway], channels });
  const [client, bystander] = [await app.connect('/ws'), await app.connect('/ws')];
  return { app, client, bystander, faults };
}

/** The connection, every other one and the process go on. */
export async function expectUnharmed({ client, bystander, faults }: HostileRig): Promise<void> {
  expect(await bystander.request('echo', 1)).toMatchObject({ data: 1 });
  expect(await client.request('echo', 2)).toMatchObject({ data: 2 });
  expect(faults).toEqual([]);
}

/** What a peer is told of a fault that belongs to no `id`. */
export function exceptionOf(code: string): object {
  return { event: 'exception', data: { status: 'error', code, message: expect.any(String) } };
}
