import { Module } from '@nestjs/common';
import { Cluster, Redis } from 'ioredis';
import { ChannelsModule, type Broker, type BrokerState } from 'nestjs-channels';
import { ChannelsPublisherModule } from 'nestjs-channels/publisher';
import {
  RedisBroker,
  type RedisBrokerOptions,
  type RedisConnection,
  type RedisDedupOptions,
  type RedisLinkOptions,
} from 'nestjs-channels/redis';

const url: RedisConnection = 'redis://localhost:6379';
const sentinels: RedisConnection = { sentinels: [{ host: 'sentinel', port: 26_379 }], name: 'main', tls: {} };
const own: RedisConnection = new Redis(url, { lazyConnect: true });
const cluster: RedisConnection = new Cluster([{ host: 'node', port: 7_000 }], { lazyConnect: true });

const link: RedisLinkOptions = { connection: sentinels, prefix: 'chat', awayAtStart: 'degrade' };
const answers: RedisDedupOptions = { maxAnswerBytes: 65_536 };
const options: RedisBrokerOptions = { ...link, ...answers, durability: 'replicated' };
// @ts-expect-error there is no such durability
export const wrongOptions: RedisBrokerOptions = { connection: url, durability: 'forever' };
// @ts-expect-error a connection is no number
export const wrongConnection: RedisConnection = 6_379;

const broker = new RedisBroker(options);
export const port: Broker = broker;
export const state: BrokerState = broker.state;
export const brokers = [own, cluster].map((connection) => new RedisBroker(connection));

@Module({ imports: [ChannelsModule.forRoot({ broker })] })
export class NodeModule {}

@Module({ imports: [ChannelsPublisherModule.forRoot({ broker })] })
export class WorkerModule {}
