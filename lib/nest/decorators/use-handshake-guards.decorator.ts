import { UseGuards, type CanActivate, type Type } from '@nestjs/common';
import { HANDSHAKE_GUARDS_METHOD, readMetadata } from '../metadata.js';
import { GUARDS_METADATA } from '../nest-internals.js';

/**
 * Guards that run before the upgrade, for every connection to this gateway's path. They see the
 * context type `http` and the request of the upgrade, so that guards written for HTTP, such as
 * `AuthGuard('jwt')` or `ThrottlerGuard`, work unchanged; injection and `overrideGuard` do, too.
 *
 * Where one says no the peer gets the HTTP status and Nest's JSON body instead of 101; a client of
 * ours is upgraded and closed with the code that says the same (docs/protocol.md, section 2). With
 * several gateways on one path the guards of all of them must agree. A second decorator, and one on
 * a class whose base has guards, adds to them.
 *
 * Without any guard it says that everybody may connect; a gateway with channels or acked handlers that
 * says nothing is warned of at the start.
 *
 * @example
 * ```ts
 * @WebSocketGateway({ path: '/ws' })
 * @UseHandshakeGuards(AuthGuard('jwt'))
 * export class ChatGateway {}
 * ```
 * @publicApi
 */
export function UseHandshakeGuards(...guards: (Type<CanActivate> | CanActivate)[]): ClassDecorator {
  return (gateway) => {
    const prototype = gateway.prototype as object;
    // One of its own for each gateway: the guards are stored on the function.
    // oxlint-disable-next-line consistent-function-scoping
    const method = function handshakeGuards(): void {};
    const earlier = guardsOf(prototype);
    // Nest's scanner looks at every function of a prototype, also at one that no code can name by accident.
    const descriptor: PropertyDescriptor = { value: method, configurable: true, enumerable: false };
    Object.defineProperty(prototype, HANDSHAKE_GUARDS_METHOD, descriptor);
    UseGuards(...earlier, ...guards)(prototype, HANDSHAKE_GUARDS_METHOD, descriptor);
  };
}

/** Those of another decorator on the class, or of its base: as with `@UseGuards()`, none of them is lost. */
function guardsOf(prototype: object): readonly (Type<CanActivate> | CanActivate)[] {
  const method = (prototype as Readonly<Record<string, unknown>>)[HANDSHAKE_GUARDS_METHOD];
  if (typeof method !== 'function') return [];
  return readMetadata<readonly (Type<CanActivate> | CanActivate)[]>(GUARDS_METADATA, method) ?? [];
}
