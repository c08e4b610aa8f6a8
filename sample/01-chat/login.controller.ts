import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Login } from './login.dto.js';

/** Believes any name. Where you check a password, check it here. */
@Controller('login')
export class LoginController {
  constructor(private readonly jwt: JwtService) {}

  @Post()
  @HttpCode(HttpStatus.OK)
  async logIn(@Body() { name }: Login): Promise<{ token: string }> {
    return { token: await this.jwt.signAsync({ sub: name }) };
  }
}
