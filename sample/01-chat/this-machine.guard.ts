import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';

const ADDRESSES = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const NAMES = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Lets only those look who sit at this machine. Where you have operators, ask them who they are. */
@Injectable()
export class ThisMachineGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { socket, headers } = context.switchToHttp().getRequest<IncomingMessage>();
    // Behind a proxy of this machine everybody has its address, and a page may have a name that leads here.
    const isProxied = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
    return !isProxied && ADDRESSES.has(socket.remoteAddress ?? '') && NAMES.test(headers.host ?? '');
  }
}
