import { Controller, Get, Header, Module } from '@nestjs/common';
import { bundleForBrowser, CLIENT_SOURCE } from './client-bundle.js';

const PAGE = `<!doctype html><title>client</title><script type="module">
  import * as channels from '/client.js';
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
}

/** A page with nothing but the client in it, as `window.channels`. */
@Module({ controllers: [ClientPageController] })
export class ClientPageModule {}
