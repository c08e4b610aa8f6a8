import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { Signal } from './client-signal.js';

interface Frame {
  readonly event: string;
  readonly id?: string;
}

/** What a server of this kind says; all that it does not answer it leaves unanswered. */
export type Answer = (frame: Frame) => object | undefined;

/** A server that keeps its connections open and says only what it is told to. Ends with the test. */
export class SilentServer extends Signal {
  readonly frames: (Frame & { readonly at: number })[] = [];

  private constructor(
    private readonly server: WebSocketServer,
    answer: Answer,
  ) {
    super();
    server.on('connection', (socket) => {
      socket.on('message', (bytes) => {
        const frame = JSON.parse(String(bytes)) as Frame;
        this.frames.push({ ...frame, at: performance.now() });
        const said = answer(frame);
        if (said) socket.send(JSON.stringify(said));
        this.tell();
      });
    });
  }

  /** Resolves with when it has read the first frame of an event. */
  async reads(event: string): Promise<number> {
    await this.until(() => this.count(event) > 0);
    return this.frames.find((frame) => frame.event === event)?.at ?? NaN;
  }

  static async start(answer: Answer = () => undefined): Promise<SilentServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    await once(server, 'listening');
    return new SilentServer(server, answer);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** How many frames of an event it has read. */
  count(event: string): number {
    return this.frames.filter((frame) => frame.event === event).length;
  }
}
