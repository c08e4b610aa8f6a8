import { Injectable } from '@nestjs/common';
import { TokenHandshakeGuard } from 'nestjs-channels';

/** Believes any name: the token is nothing else. 01-chat has a login. */
@Injectable()
export class NameGuard extends TokenHandshakeGuard<{ readonly id: string }> {
  authenticate(token: string) {
    return /^\w{1,32}$/.test(token) ? { id: token } : undefined;
  }
}
