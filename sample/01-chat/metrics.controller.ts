import { Controller, Get, Header } from '@nestjs/common';
import { register } from 'prom-client';

/** For Prometheus. Who serves this to strangers tells them how it goes: keep it behind the proxy. */
@Controller('metrics')
export class MetricsController {
  @Get()
  @Header('Content-Type', register.contentType)
  read(): Promise<string> {
    return register.metrics();
  }
}
