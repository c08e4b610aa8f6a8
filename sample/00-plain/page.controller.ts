import { readFileSync } from 'node:fs';
import { Controller, Get, Header } from '@nestjs/common';

@Controller()
export class PageController {
  private readonly page = readFileSync(new URL('./index.html', import.meta.url), 'utf8');

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  index(): string {
    return this.page;
  }
}
