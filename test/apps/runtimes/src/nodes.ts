import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChannelsModule } from 'nestjs-channels';
import { ChannelsPublisher, ChannelsPublisherModule } from 'nestjs-channels/publisher';
import { RedisBroker } from 'nestjs-channels/redis';
import { TestClient } from 'nestjs-channels/testing';
import { SmokeGateway } from './smoke.gateway.js';

const url = process.env['REDIS_URL'] ?? '';
const logger = ['fatal', 'error'] as ('fatal' | 'error')[];
const LOBBY = 'room:lobby';

@Module({
  imports: [ChannelsModule.forRootAsync({ useFactory: () => ({ broker: new RedisBroker(url) }) })],
  providers: [SmokeGateway],
})
class NodeModule {}

@Module({
  imports: [ChannelsPublisherModule.forRootAsync({ useFactory: () => ({ broker: new RedisBroker(url) }) })],
})
class WorkerModule {}

async function startNode(): Promise<INestApplication> {
  const node = await NestFactory.create(NodeModule, { logger });
  return node.listen(0, '127.0.0.1').then(() => node);
}

async function enter(node: INestApplication, name: string): Promise<TestClient> {
  const { port } = node.getHttpServer().address() as AddressInfo;
  const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, { token: `name-${name}` });
  await client.subscribe(LOBBY);
  return client;
}

/** Two nodes and a worker: what each of them publishes reaches a client of the second node. */
async function main(): Promise<void> {
  const nodes = await Promise.all([startNode(), startNode()]);
  const worker = await NestFactory.createApplicationContext(WorkerModule, { logger });
  const [ann, ben] = await Promise.all([enter(nodes[0], 'ann'), enter(nodes[1], 'ben')]);
  await ann.request('say', 'hello');
  const fromNode = await ben.waitFor({ channel: LOBBY });
  await worker.get(ChannelsPublisher).publish(LOBBY, 'said', { text: 'from the worker' });
  const fromWorker = await ben.waitFor({ channel: LOBBY });
  await Promise.all([...nodes, worker].map((app) => app.close()));
  const loader = typeof require === 'function' ? 'require' : 'import';
  const heard = [fromNode['data'], fromWorker['data']];
  process.stdout.write(`${JSON.stringify({ node: process.version, loader, heard })}\n`);
}

// Where nothing fails, nothing ends the process: it is over when no connection to Redis is left.
void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
