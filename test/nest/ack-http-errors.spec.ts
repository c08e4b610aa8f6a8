import { HttpException } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** Lets a test decide what is thrown. */
class Script {
  fail: () => unknown = () => undefined;
}

@WebSocketGateway({ path: '/ws' })
class FailingGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('fail')
  fail(): unknown {
    return this.script.fail();
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
  it.each([
    [400, 'bad_request', false],
    [401, 'unauthorized', false],
    [403, 'forbidden', false],
    [404, 'bad_request', false],
    [408, 'timeout', true],
    [409, 'conflict', false],
    [413, 'payload_too_large', false],
    [418, 'bad_request', false],
    [429, 'rate_limited', true],
    [503, 'unavailable', true],
    [504, 'timeout', true],
  ] as const)(
    'takes its code from the status %i of an HttpException: %s',
    async (status, code, retryable) => {
      const { client, script, observer } = await start();
      const response = { statusCode: status, message: 'not so', hint: 'try that' };
      script.fail = thrower(new HttpException(response, status));

      const answer = await client.request('fail', undefined, { id: 1 });

      expect(answer).toEqual({ ack: 1, error: { code, message: 'not so', retryable, details: response } });
      expect(observer.failures).toEqual([]);
    },
  );

  it.each([500, 501, 502])('is internal for an HttpException of %i, which is reported', async (status) => {
    const { client, script, observer } = await start();
    const error = new HttpException('broken', status);
    script.fail = thrower(error);

    const answer = await client.request('fail');

    expect(answer.error).toMatchObject({ code: 'internal', message: 'broken', retryable: false });
    expect(observer.failures).toEqual([expect.objectContaining({ where: 'fail', error })]);
  });

  it('has the status as details where an HttpException has a text as its response', async () => {
    const { client, script } = await start();
    script.fail = thrower(new HttpException('not today', 409));

    const { error } = await client.request('fail');

    expect(error).toEqual({
      code: 'conflict',
      message: 'not today',
      retryable: false,
      details: { statusCode: 409 },
    });
  });
});
