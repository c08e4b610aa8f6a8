import { HttpException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards } from 'nestjs-channels';
import { HandshakeRefused, type ChannelsTestApp } from 'nestjs-channels/testing';
import { expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

interface Response {
  status(code: number): Response;
  json(body: unknown): void;
  redirect(url: string): void;
  setHeader(name: string, value: string): Response;
  end(): void;
}

function guarded(activate: (response: Response) => boolean | Promise<boolean>): Promise<ChannelsTestApp> {
  class AnsweringGuard implements CanActivate {
    canActivate(context: ExecutionContext): boolean | Promise<boolean> {
      return activate(context.switchToHttp().getResponse<Response>());
    }
  }
  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards(AnsweringGuard)
  class AnsweringGateway {}
  return startApp({ providers: [AnsweringGateway] });
}

async function refusal(app: ChannelsTestApp): Promise<HandshakeRefused> {
  const error: unknown = await app.connect('/ws', { protocols: [] }).catch((refused: unknown) => refused);
  if (error instanceof HandshakeRefused) return error;
  throw new Error('the upgrade was not refused');
}

it('sends the answer that a guard has sent by itself', async () => {
  const app = await guarded((response) => {
    response.setHeader('X-Reason', 'tea').status(418).json({ message: 'short and stout' });
    return false;
  });

  const { statusCode, headers, body } = await refusal(app);

  expect({ statusCode, reason: headers['x-reason'], body }).toEqual({
    statusCode: 418,
    reason: 'tea',
    body: { message: 'short and stout' },
  });
});

it('does not wait for a guard that has answered and never settles', async () => {
  const app = await guarded((response) => {
    response.redirect('https://login.example.com/');
    return new Promise<boolean>(() => undefined);
  });

  const { statusCode, headers } = await refusal(app);

  expect([statusCode, headers['location']]).toEqual([302, 'https://login.example.com/']);
});

it('refuses with 500 where a guard has answered that all is well', async () => {
  const app = await guarded((response) => {
    response.end();
    return true;
  });

  expect((await refusal(app)).statusCode).toBe(500);
});

it.each([101, 200, Number.NaN, 1e9])(
  'refuses with 500 for an exception with the status %d',
  async (status) => {
    const app = await guarded(() => {
      throw new HttpException('odd', status);
    });

    expect((await refusal(app)).statusCode).toBe(500);
  },
);
