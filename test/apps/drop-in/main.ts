import 'reflect-metadata';
import type { INestApplication, LogLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { ChannelsModule } from 'nestjs-channels';
import { SETS } from './sets.js';

const LEVELS: LogLevel[] = ['fatal', 'error', 'warn'];

/** `main.js <stock|channels> <express|fastify> <set>`: the gateways of a set, on that adapter. Says where it listens. */
async function main([adapter, framework, set]: readonly string[]): Promise<void> {
  const parts = SETS[set ?? ''];
  if (parts === undefined)
    throw new Error(`There is no set ${set}; there are ${Object.keys(SETS).join(', ')}.`);
  const { channels, ...metadata } = parts;
  const module = ChannelsModule.forRoot({ autoInstall: true, allowedOrigins: '*', ...channels });
  class AppModule {}
  const root = {
    module: AppModule,
    ...metadata,
    imports: [...(metadata.imports ?? []), ...(adapter === 'channels' ? [module] : [])],
  };
  const app: INestApplication =
    framework === 'fastify'
      ? await NestFactory.create(root, new FastifyAdapter(), { logger: LEVELS })
      : await NestFactory.create(root, { logger: LEVELS });
  if (adapter === 'stock') app.useWebSocketAdapter(new WsAdapter(app));
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  process.send?.({ listening: Number(new URL(await app.getUrl()).port) });
}

void main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
