import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { TokenHandshakeGuard } from 'nestjs-channels';

interface User {
  readonly sub: string;
}

@Injectable()
export class JwtGuard extends TokenHandshakeGuard<User> {
  constructor(private readonly jwt: JwtService) {
    super();
  }

  authenticate(token: string): Promise<User> {
    return this.jwt.verifyAsync<User>(token);
  }
}
