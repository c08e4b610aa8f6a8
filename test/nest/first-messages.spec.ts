import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, type CanActivate } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { clientFrame, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { startApp } from '../support/start-app.js';

const COUNT = 50;
const NUMBERS = Array.from({ length: COUNT }, (_, number) => number);
const GUARD_MS = 500;

/** What the gateways of this file are made to do, and what they have done. */
class Script {
  readonly asked = new Deferred();
  readonly verdict = new Deferred<boolean>();
  readonly connecting = new Deferred();
  readonly connected = new Deferred();
  readonly handled: unknown[] = [];
}

@Injectable()
class ScriptedGuard implements CanActivate {
  constructor(private readonly script: Script) {}

  canActivate(): Promise<boolean> {
    this.script.asked.resolve();
    return this.script.verdict.promise;
  }
}

class SlowGuard implements CanActivate {
  canActivate(): Promise<boolean> {
    return wait(GUARD_MS, true);
  }
}

/** Handles the messages of every gateway of this file. */
@Injectable()
class NotingGateway {
  constructor(protected readonly script: Script) {}

  @SubscribeMessage('note')
  note(@MessageBody() number: number): number {
    this.script.handled.push(number);
    return number;
  }
}

@WebSocketGateway({ path: '/guarded' })
@UseHandshakeGuards(ScriptedGuard)
class GuardedGateway extends NotingGateway {}

@WebSocketGateway({ path: '/slow-guard' })
@UseHandshakeGuards(SlowGuard)
class SlowlyGuardedGateway extends NotingGateway {}

@WebSocketGateway({ path: '/connecting' })
class ConnectingGateway extends NotingGateway {
  async handleConnection(): Promise<void> {
    this.script.connecting.resolve();
    await this.script.connected.promise;
  }
}

async function start(): Promise<{ app: ChannelsTestApp; script: Script }> {
  const script = new Script();
  const app = await startApp({
    providers: [
      GuardedGateway,
      SlowlyGuardedGateway,
      ConnectingGateway,
      { provide: Script, useValue: script },
    ],
  });
  return { app, script };
}

/** The upgrade request and the messages behind it, in one write. */
async function connectWithMessages(app: ChannelsTestApp, path: string): Promise<RawSocket> {
  const socket = await RawSocket.connect(app.port);
  const messages = NUMBERS.map((number) =>
    clientFrame(JSON.stringify({ event: 'note', data: number, id: number })),
  );
  socket.write(upgradeRequest(path), ...messages);
  return socket;
}

function allAnswered(socket: RawSocket): () => boolean {
  return () => socket.response.frames.length >= COUNT;
}

const ACKS = NUMBERS.map((number) => ({ ack: number, data: number }));

describe('messages in the packet of the upgrade', () => {
  it('waits with all fifty for the guard, and handles them in order and once', async () => {
    const { app, script } = await start();
    const socket = await connectWithMessages(app, '/guarded');
    await script.asked.promise;
    const before = { handled: [...script.handled], head: socket.response.head };

    script.verdict.resolve(true);
    await socket.until(allAnswered(socket));

    expect(before).toEqual({ handled: [], head: '' });
    expect(script.handled).toEqual(NUMBERS);
    expect(socket.messages).toEqual(ACKS);
  });

  it('handles all fifty behind a guard that takes half a second', async () => {
    const { app, script } = await start();

    const socket = await connectWithMessages(app, '/slow-guard');
    await socket.until(allAnswered(socket));

    expect(socket.response.head).toMatch(/^HTTP\/1\.1 101 /);
    expect(script.handled).toEqual(NUMBERS);
    expect(socket.messages).toEqual(ACKS);
  });

  it('handles none of them, and answers without a 101, where the guard says no', async () => {
    const { app, script } = await start();
    const socket = await connectWithMessages(app, '/guarded');
    await script.asked.promise;

    script.verdict.resolve(false);
    await socket.closed;

    expect(socket.response.head).toMatch(/^HTTP\/1\.1 403 /);
    expect(socket.response.head).not.toContain('101');
    expect(script.handled).toEqual([]);
  });

  it('waits with all fifty for handleConnection, and handles them in order and once', async () => {
    const { app, script } = await start();
    const socket = await connectWithMessages(app, '/connecting');
    await script.connecting.promise;
    await socket.until(() => socket.response.head.startsWith('HTTP/1.1 101 '));
    const before = { handled: [...script.handled], frames: socket.response.frames };

    script.connected.resolve();
    await socket.until(allAnswered(socket));

    expect(before).toEqual({ handled: [], frames: [] });
    expect(script.handled).toEqual(NUMBERS);
    expect(socket.messages).toEqual(ACKS);
  });

  it('handles none of them, and closes with 1011, where handleConnection rejects', async () => {
    const { app, script } = await start();
    const socket = await connectWithMessages(app, '/connecting');
    await script.connecting.promise;

    script.connected.reject(new Error('no'));
    await socket.until(() => socket.closeCode !== undefined);

    expect(socket.closeCode).toBe(1011);
    expect(socket.messages).toEqual([]);
    expect(script.handled).toEqual([]);
  });
});
