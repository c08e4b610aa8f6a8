import { Controller, Get, Header, Module } from '@nestjs/common';
import { bundleForBrowser, CLIENT_SOURCE, STORAGE_SOURCE } from './client-bundle.js';

const PAGE = `<!doctype html><title>client</title><script type="module">
  import * as channels from '/client.js';
  import * as storage from '/storage.js';
  window.storage = storage;
  window.channels = channels;
</script>`;

@Controller()
class ClientPageController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('client.js')
  @Header('content-type', 'text/javascript')
  async script(): Promise<string> {
    return (await bundleForBrowser(CLIENT_SOURCE)).code;
  }

  @Get('storage.js')
  @Header('content-type', 'text/javascript')
  async storage(): Promise<string> {
    return (await bundleForBrowser(STORAGE_SOURCE)).code;
  }
}

/** A page with nothing but the client in it, as `window.channels`, and its storage, as `window.storage`. */
@Module({ controllers: [ClientPageController] })
export class ClientPageModule {}
