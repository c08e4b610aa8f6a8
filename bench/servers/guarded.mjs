// A handler behind a guard and a validation pipe, the same for both adapters: `guarded.mjs <adapter>`.
import { UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { ChannelsModule } from 'nestjs-channels';
import { decorateMethod, decorateParam, serveNest } from './nest.mjs';
import { RATES } from './rates.mjs';

class Greeting {}
IsString()(Greeting.prototype, 'text');

class ReadingGuard {
  canActivate(context) {
    return context.switchToWs().getData() !== undefined;
  }
}

class GuardedGateway {
  guarded(data) {
    return { event: 'guarded', data };
  }
}
decorateMethod(GuardedGateway, 'guarded', SubscribeMessage('guarded'));
decorateMethod(GuardedGateway, 'guarded', UseGuards(ReadingGuard));
decorateMethod(GuardedGateway, 'guarded', UsePipes(new ValidationPipe()));
decorateParam(GuardedGateway, 'guarded', 0, MessageBody());
// What a compiler writes for the type of a parameter, and what the pipe validates by.
Reflect.defineMetadata('design:paramtypes', [Greeting], GuardedGateway.prototype, 'guarded');
WebSocketGateway({ path: '/ws' })(GuardedGateway);

const providers = [GuardedGateway, ReadingGuard];
if (process.argv[2] === 'channels') {
  await serveNest({ imports: [ChannelsModule.forRoot({ allowedOrigins: '*', ...RATES })], providers });
} else {
  await serveNest({ providers }, (app) => app.useWebSocketAdapter(new WsAdapter(app)));
}
