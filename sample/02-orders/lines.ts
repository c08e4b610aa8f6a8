import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, NotFoundException, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

const CUT_MS = 20_000;

/** The TCP connections under the WebSockets of the pages, so that a page can have its own cut. */
@Injectable()
export class Lines implements OnApplicationBootstrap {
  readonly #sockets = new Map<string, Duplex>();
  readonly #cuts = new Map<string, NodeJS.Timeout>();

  constructor(private readonly host: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    // Before everybody else, so that nobody answers on a line that is cut.
    this.host.httpAdapter.getHttpServer().prependListener('upgrade', this.#note);
  }

  /** Destroys the connection of a page, and each further one, for 20 s at most. */
  cut(line: string): void {
    const socket = this.#sockets.get(line);
    if (!socket) throw new NotFoundException('There is no such line.');
    this.mend(line);
    this.#cuts.set(line, setTimeout(() => this.mend(line), CUT_MS).unref());
    socket.destroy();
  }

  mend(line: string): void {
    clearTimeout(this.#cuts.get(line));
    this.#cuts.delete(line);
  }

  readonly #note = ({ url = '' }: IncomingMessage, socket: Duplex): void => {
    const line = new URLSearchParams(url.split('?')[1]).get('line');
    if (line === null) return;
    if (this.#cuts.has(line)) {
      socket.destroy();
      return;
    }
    this.#sockets.set(line, socket);
    socket.once('close', () => {
      if (this.#sockets.get(line) === socket) this.#sockets.delete(line);
    });
  };
}
