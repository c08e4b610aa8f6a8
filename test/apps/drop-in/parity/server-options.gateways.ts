import type { IncomingMessage } from 'node:http';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Fenced } from './fenced.js';

abstract class EchoGateway extends Fenced {
  @SubscribeMessage('echo')
  echo(_client: unknown, data: unknown): unknown {
    return { event: 'echo', data };
  }
}

const verifyClient = (
  { req }: { req: IncomingMessage },
  done: (ok: boolean, code?: number, message?: string, headers?: Record<string, string>) => void,
): void => {
  const query = new URL(req.url ?? '', 'ws://host').searchParams;
  const code = query.get('code');
  if (code === null) done(query.has('in'));
  else done(false, Number(code), 'because', { 'X-Why': 'test' });
};

@WebSocketGateway({ path: '/verified', verifyClient })
class VerifiedGateway extends EchoGateway {}

@WebSocketGateway({ path: '/small', maxPayload: 40 })
class SmallGateway extends EchoGateway {}

@WebSocketGateway({ path: '/deflated', perMessageDeflate: { threshold: 0 } })
class DeflatedGateway extends EchoGateway {}

@WebSocketGateway({
  path: '/protocols',
  handleProtocols: (offered: Set<string>) => (offered.has('second') ? 'second' : false),
})
class ProtocolsGateway extends EchoGateway {}

export const SERVER_OPTIONS = [VerifiedGateway, SmallGateway, DeflatedGateway, ProtocolsGateway];
