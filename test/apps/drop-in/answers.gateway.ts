import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

@WebSocketGateway({ path: '/answers' })
export class AnswersGateway {
  @SubscribeMessage('reply')
  reply(): unknown {
    return { event: 'reply', data: { a: 1 } };
  }
}
