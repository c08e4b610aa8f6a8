import { SetMetadata } from '@nestjs/common';
import { ON_HANDSHAKE_METADATA } from '../metadata.js';

/**
 * A method that runs before the upgrade, after the guards of `@UseHandshakeGuards`, with guards,
 * interceptors and pipes of its own. Takes the parameter decorators of HTTP: `@Req()`, `@Query('x')`,
 * `@Param('x')`, `@Headers('x')`, `@Ip()`. What it returns becomes `client.data`; an exception
 * refuses the upgrade like a guard.
 *
 * @publicApi
 */
export function OnHandshake(): MethodDecorator {
  return SetMetadata(ON_HANDSHAKE_METADATA, true);
}
