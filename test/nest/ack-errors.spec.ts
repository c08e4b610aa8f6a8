import { NotFoundException, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { IsInt, IsString } from 'class-validator';
import { ChannelsError } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const SECRET = 'password=hunter2';

class Draft {
  @IsString()
  text!: string;

  @IsInt()
  likes!: number;
}

/** Lets a test decide what is thrown. */
class Script {
  fail: () => unknown = () => undefined;
}

const refusing = { canActivate: () => false };
const missing = {
  canActivate: () => {
    throw new NotFoundException('no such room');
  },
};

@WebSocketGateway({ path: '/ws' })
class FailingGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('fail')
  fail(): unknown {
    return this.script.fail();
  }

  @SubscribeMessage('fail.later')
  async failLater(): Promise<unknown> {
    await Promise.resolve();
    return this.script.fail();
  }

  @SubscribeMessage('guarded')
  @UseGuards(refusing)
  guarded(): string {
    return 'never';
  }

  @SubscribeMessage('missing')
  @UseGuards(missing)
  missing(): string {
    return 'never';
  }

  @SubscribeMessage('validated')
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  validated(@MessageBody() draft: Draft): unknown {
    return { isDraft: draft instanceof Draft, ...draft };
  }
}

interface Rig {
  readonly client: TestClient;
  readonly script: Script;
  readonly observer: RecordingObserver;
}

async function start(): Promise<Rig> {
  const script = new Script();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [FailingGateway, { provide: Script, useValue: script }],
    channels: { observers: [observer] },
  });
  return { script, observer, client: await app.connect('/ws') };
}

function thrower(error: unknown): () => never {
  return () => {
    throw error;
  };
}

describe('the error of an ack', () => {
  it('lists the fields that a ValidationPipe has refused', async () => {
    const { client } = await start();

    const { error } = await client.request('validated', { text: 1, likes: 'many' });

    expect(error).toEqual({
      code: 'bad_request',
      message: 'Bad Request Exception',
      retryable: false,
      details: {
        statusCode: 400,
        error: 'Bad Request',
        message: ['text must be a string', 'likes must be an integer number'],
      },
    });
  });

  it('is none where the ValidationPipe is content, which transforms the data', async () => {
    const { client } = await start();

    const answer = await client.request('validated', { text: 'hi', likes: 2, extra: true });

    expect(answer).toMatchObject({ data: { isDraft: true, text: 'hi', likes: 2 } });
    expect(answer.data).not.toHaveProperty('extra');
  });

  it.each<[string, string | object, { code: string; message?: string; details?: unknown }]>([
    ['a text', 'not so', { code: 'bad_request', message: 'not so' }],
    [
      'an object',
      { message: 'not so', field: 'a' },
      { code: 'bad_request', message: 'not so', details: { message: 'not so', field: 'a' } },
    ],
    [
      'an object with a code of the protocol',
      { code: 'rate_limited', message: 'slowly' },
      { code: 'rate_limited', message: 'slowly', details: { code: 'rate_limited', message: 'slowly' } },
    ],
    [
      'an object with another code',
      { code: 'E42', message: 'odd' },
      { code: 'bad_request', message: 'odd', details: { code: 'E42', message: 'odd' } },
    ],
    [
      'an object with an inherited name as its code',
      { code: 'constructor', message: 'odd' },
      { code: 'bad_request', message: 'odd', details: { code: 'constructor', message: 'odd' } },
    ],
    ['an object without a message', { field: 'a' }, { code: 'bad_request', details: { field: 'a' } }],
  ])('follows a WsException with %s', async (_, payload, expected) => {
    const { client, script } = await start();
    script.fail = thrower(new WsException(payload));

    const { error } = await client.request('fail');

    expect(error).toMatchObject(expected);
    expect(error?.retryable).toBe(expected.code === 'rate_limited');
    expect(error?.details).toEqual(expected.details);
  });

  it('is the ChannelsError that was thrown, without its cause', async () => {
    const { client, script } = await start();
    const options = { retryAfterMs: 250, details: { quota: 3 }, cause: new Error(SECRET) };
    script.fail = thrower(new ChannelsError('rate_limited', 'three a minute', options));

    const answer = await client.request('fail.later', undefined, { id: 'a' });

    expect(answer).toEqual({
      ack: 'a',
      error: {
        code: 'rate_limited',
        message: 'three a minute',
        retryable: true,
        retryAfterMs: 250,
        details: { quota: 3 },
      },
    });
  });

  it('is forbidden where a guard says no', async () => {
    const { client } = await start();

    const { error } = await client.request('guarded');

    expect(error).toEqual({ code: 'forbidden', message: 'Forbidden resource', retryable: false });
  });

  it('is what a guard throws', async () => {
    const { client } = await start();

    const { error } = await client.request('missing');

    expect(error).toMatchObject({
      code: 'bad_request',
      message: 'no such room',
      details: { statusCode: 404 },
    });
  });

  it.each(['fail', 'fail.later'])(
    'of %s tells nothing of an unknown error but the id of its report',
    async (event) => {
      const { client, script, observer } = await start();
      const cause = Object.assign(new Error(SECRET), { status: 400, code: 'bad_request', details: SECRET });
      script.fail = thrower(cause);

      const answer = await client.request(event, undefined, { id: 1 });

      const [failure] = observer.failures;
      expect(failure).toMatchObject({ where: event, error: cause, correlationId: expect.any(String) });
      expect(answer).toEqual({
        ack: 1,
        error: {
          code: 'internal',
          message: `Internal server error (${failure?.correlationId})`,
          retryable: false,
        },
      });
      expect(JSON.stringify(client.frames)).not.toContain(SECRET);
    },
  );

  it('has another correlation id each time', async () => {
    const { client, script, observer } = await start();
    script.fail = thrower(new Error(SECRET));

    await client.request('fail');
    await client.request('fail');

    expect(new Set(observer.failures.map(({ correlationId }) => correlationId)).size).toBe(2);
  });

  it('leaves details out that have no JSON', async () => {
    const { client, script } = await start();
    script.fail = thrower(new ChannelsError('conflict', 'taken', { details: { by: 1n } }));

    const answer = await client.request('fail', undefined, { id: 1 });

    expect(answer).toEqual({ ack: 1, error: { code: 'conflict', message: 'taken', retryable: false } });
  });
});
