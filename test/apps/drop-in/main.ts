import 'reflect-metadata';
import type { INestApplication, LogLevel } from '@nestjs/common';
import { ApplicationConfig, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { ChannelsAdapter, ChannelsModule } from 'nestjs-channels';
import { SETS } from './sets.js';

const LEVELS: LogLevel[] = ['fatal', 'error', 'warn'];

/**
 * `main.js <stock|channels|by-hand|none> <express|fastify> <set>`: the gateways of a set, on that adapter, or on the
 * one that Nest chooses. Says where it listens.
 */
async function main([adapter, framework, set]: readonly string[]): Promise<void> {
  const parts = SETS[set ?? ''];
  if (parts === undefined)
    throw new Error(`There is no set ${set}; there are ${Object.keys(SETS).join(', ')}.`);
  const { channels, configure, ...metadata } = parts;
  const autoInstall = adapter === 'channels';
  const module = ChannelsModule.forRoot({ autoInstall, allowedOrigins: '*', ...channels });
  class AppModule {}
  const root = {
    module: AppModule,
    ...metadata,
    imports: [...(metadata.imports ?? []), ...(adapter === 'stock' || adapter === 'none' ? [] : [module])],
  };
  const app: INestApplication =
    framework === 'fastify'
      ? await NestFactory.create(root, new FastifyAdapter(), { logger: LEVELS })
      : await NestFactory.create(root, { logger: LEVELS });
  const messageParser = channels?.messageParser as never;
  if (adapter === 'stock') app.useWebSocketAdapter(new WsAdapter(app, { messageParser }));
  if (adapter === 'by-hand') app.useWebSocketAdapter(app.get(ChannelsAdapter));
  configure?.(app, app.get(ApplicationConfig).getIoAdapter() as unknown as WsAdapter);
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  // Nobody is left to end it where the tests have been ended themselves.
  process.once('disconnect', () => process.exit());
  process.send?.({ listening: Number(new URL(await app.getUrl()).port) });
}

void main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
