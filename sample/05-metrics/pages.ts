import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';

/** The folders of the package that the client consists of; the rest of it is none of a browser's business. */
const CLIENT_FOLDERS = ['client', 'protocol'];

/** Serves the page, and the client as the package brings it: index.html has the import map for it. */
export function servePages(app: NestExpressApplication): void {
  app.useStaticAssets(fileURLToPath(new URL('./public', import.meta.url)));
  const client = import.meta.resolve('nestjs-channels/client');
  for (const folder of CLIENT_FOLDERS) {
    const path = fileURLToPath(new URL(`../${folder}`, client));
    app.useStaticAssets(path, { prefix: `/nestjs-channels/${folder}`, index: false, redirect: false });
  }
}
