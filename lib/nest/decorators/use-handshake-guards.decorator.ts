import { UseGuards, type CanActivate, type Type } from '@nestjs/common';
import { HANDSHAKE_GUARDS_METHOD } from '../metadata.js';

/**
 * Guards that run before the upgrade, for every connection to this gateway's path. They see the
 * context type `http` and the request of the upgrade, so that guards written for HTTP, such as
 * `AuthGuard('jwt')` or `ThrottlerGuard`, work unchanged; injection and `overrideGuard` do, too.
 *
 * Where one says no the peer gets the HTTP status and Nest's JSON body instead of 101; a client of
 * ours is upgraded and closed with the code that says the same (docs/protocol.md, section 2). With
 * several gateways on one path the guards of all of them must agree.
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
    // One of its own for each gateway: the guards are stored on the function.
    // oxlint-disable-next-line consistent-function-scoping
    const method = function handshakeGuards(): void {};
    // Nest's scanner looks at every function of a prototype, also at one that no code can name by accident.
    const descriptor: PropertyDescriptor = { value: method, configurable: true, enumerable: false };
    Object.defineProperty(gateway.prototype, HANDSHAKE_GUARDS_METHOD, descriptor);
    UseGuards(...guards)(gateway.prototype as object, HANDSHAKE_GUARDS_METHOD, descriptor);
  };
}
