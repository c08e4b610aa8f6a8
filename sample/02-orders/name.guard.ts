import { Injectable } from '@nestjs/common';
import { TokenHandshakeGuard } from 'nestjs-channels';

const MAX_LENGTH = 32;

interface User {
  readonly id: string;
}

/** Believes any name: the token is nothing else. 01-chat has a login. */
@Injectable()
export class NameGuard extends TokenHandshakeGuard<User> {
  authenticate(token: string): User | undefined {
    const name = decode(token)?.trim();
    return name && name.length <= MAX_LENGTH ? { id: name } : undefined;
  }
}

function decode(token: string): string | undefined {
  try {
    return decodeURIComponent(token);
  } catch {
    // No name of ours: the guard refuses it.
    return undefined;
  }
}
