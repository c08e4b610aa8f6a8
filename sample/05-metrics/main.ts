import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { servePages } from './pages.js';

const app = await NestFactory.create<NestExpressApplication>(AppModule);
servePages(app);
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(Number(process.env['PORT'] ?? 3000), process.env['HOST'] ?? '127.0.0.1');
new Logger('Metrics').log(`Open ${await app.getUrl()}, and again in another tab.`);
