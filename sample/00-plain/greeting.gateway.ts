import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

@WebSocketGateway({ path: '/ws' })
export class GreetingGateway {
  @SubscribeMessage('greet')
  greet(@MessageBody() name: string) {
    return { event: 'greeting', data: `Hello, ${name}!` };
  }
}
