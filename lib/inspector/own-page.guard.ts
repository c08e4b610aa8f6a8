import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { ChannelsModuleOptions } from '../nest/channels-options.interface.js';
import { OriginGuard } from '../nest/guards/origin.guard.js';
import { CHANNELS_OPTIONS } from '../nest/tokens.js';

/**
 * Lets only pages of the server's own host in, whatever `allowedOrigins` says: a page that may use the application's
 * sockets must not disconnect its users with what the browser of an operator sends along.
 */
@Injectable()
export class OwnPageGuard implements CanActivate {
  readonly #sameHost: OriginGuard;

  constructor(@Inject(CHANNELS_OPTIONS) { trustProxy }: ChannelsModuleOptions) {
    this.#sameHost = new OriginGuard({ trustProxy });
  }

  canActivate(context: ExecutionContext): boolean {
    return this.#sameHost.canActivate(context);
  }
}
