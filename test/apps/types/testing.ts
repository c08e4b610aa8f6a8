import type { INestApplication } from '@nestjs/common';
import { ChannelsModule } from 'nestjs-channels';
import type { AckFrame } from 'nestjs-channels/protocol';
import {
  ConnectionClosed,
  createChannelsTestApp,
  FaultProxy,
  HandshakeRefused,
  TestClient,
  TestClock,
  type ChannelsTestApp,
  type ChannelsTestAppOptions,
  type FaultDirection,
  type FaultProxyOptions,
  type TestClientOptions,
  type TestClose,
} from 'nestjs-channels/testing';

const clock = new TestClock();
const options: ChannelsTestAppOptions = { imports: [ChannelsModule.forRoot()], clock };
const clientOptions: TestClientOptions = { protocols: [], token: 'ann' };
export const proxyOptions: FaultProxyOptions = { target: { port: 1 }, random: { next: () => 0.5 } };
export const direction: FaultDirection | undefined = undefined;

export async function check(): Promise<TestClose> {
  const app: ChannelsTestApp = await createChannelsTestApp(options);
  const nest: INestApplication = app.nest;
  const client: TestClient = await app.connect('/ws', clientOptions);
  const ack: AckFrame = await client.request('echo', { text: await nest.getUrl() });
  const proxy: FaultProxy = await app.proxy();
  proxy.latencyMs = String(ack.data).length;
  // @ts-expect-error a latency is a number
  proxy.latencyMs = '1s';
  await app[Symbol.asyncDispose]();
  return client.closed;
}

export function statusOf(error: unknown): number {
  if (error instanceof ConnectionClosed) return error.code;
  // @ts-expect-error it is called statusCode
  return error instanceof HandshakeRefused ? error.status : 0;
}
