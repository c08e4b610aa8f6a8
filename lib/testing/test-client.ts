import { randomUUID } from 'node:crypto';
import { clearTimeout, setTimeout } from 'node:timers';
import { WebSocket } from 'ws';
import type { AckFrame, MessageId } from '../protocol/index.js';
import { abridge, FrameInbox, type Verdict } from './frame-inbox.js';
import { isObject, matchesPartially } from './frame-match.js';
import { handshake, parse } from './handshake.js';
import { offer, toClientOptions, type TestClientOptions } from './test-client-options.js';

export { ConnectionClosed } from './connection-closed.js';
export { HandshakeRefused } from './handshake-refused.js';
export type { TestClientOptions } from './test-client-options.js';

/**
 * How a connection ended: 1005 for a close without a code, 1006 for an end without a close.
 *
 * @publicApi
 */
export interface TestClose {
  readonly code: number;
  readonly reason: string;
}

/**
 * A WebSocket client that misses nothing: what arrives is kept from before the handshake is finished, so
 * that a test may look for it later. Frames are consumed at most once; whoever waits for a certain frame
 * ({@link waitFor}, {@link request}) is asked before {@link next}.
 *
 * Every wait ends: with the frame, after `timeoutMs` with an error that lists what did arrive, or with
 * {@link ConnectionClosed}. What came before the close can still be consumed after it.
 *
 * @example
 * ```ts
 * const client = await TestClient.connect(url, { token });
 *
 * expect(await client.request('echo', 'hi')).toMatchObject({ data: 'hi' });
 * await client.subscribe('chat:1');
 * await client.waitFor({ channel: 'chat:1', event: 'message' });
 * ```
 *
 * @publicApi
 */
export class TestClient {
  /** Resolves when the connection is closed, however that came. Never rejects. */
  readonly closed: Promise<TestClose>;
  readonly #ws: WebSocket;
  readonly #inbox: FrameInbox;
  #pings = 0;

  private constructor(
    url: string,
    options: TestClientOptions,
    private readonly timeoutMs: number,
  ) {
    this.#inbox = new FrameInbox(timeoutMs);
    this.#ws = new WebSocket(url, offer(options), toClientOptions(options));
    // Before the connection is open, handshake() reports it; afterwards a 'close' follows that tells all.
    this.#ws.on('error', () => undefined);
    this.#ws.on('ping', () => (this.#pings += 1));
    this.#ws.on('message', (data, isBinary) => this.#inbox.receive(isBinary ? data : parse(String(data))));
    this.closed = new Promise((resolve) => {
      this.#ws.on('close', (code, reason) => {
        this.#inbox.close(code, String(reason));
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /**
   * Connects, and resolves when the server has upgraded the connection, even if it closes it at once.
   *
   * Rejects with {@link HandshakeRefused} when the server answers with HTTP, and with the error of the
   * socket or of `ws` when it does not answer or answers wrongly.
   */
  static async connect(url: string, options: TestClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(url, options, options.timeoutMs ?? 5_000);
    await handshake(client.#ws, client.timeoutMs);
    return client;
  }

  /** The subprotocol that the server chose; empty when it chose none. */
  get protocol(): string {
    return this.#ws.protocol;
  }

  /** All frames so far, in order, consumed or not: parsed where they are JSON, other text as it is, binary as `Buffer`. */
  get frames(): readonly unknown[] {
    return this.#inbox.received;
  }

  /** Protocol pings received so far. `$ping` frames are frames. */
  get pings(): number {
    return this.#pings;
  }

  /** Sends a frame as JSON. As in a browser, what is sent on a closed connection vanishes. */
  send(frame: unknown): void {
    this.sendRaw(JSON.stringify(frame));
  }

  /** Sends a string as a text frame, bytes as a binary one, unchanged. */
  sendRaw(data: string | Uint8Array): void {
    this.#ws.send(data);
  }

  /** The oldest frame not yet consumed, or the next one to arrive. */
  next(): Promise<unknown> {
    return this.#inbox.wait({
      what: () => 'the next frame',
      greedy: true,
      judge: (frame) => ({ done: frame }),
    });
  }

  /**
   * The oldest frame not yet consumed that matches, or the next one to arrive; others stay in the queue.
   * A partial object matches a frame that has the same members, at any depth; its arrays have to be
   * whole. Rejects with whatever the predicate throws.
   */
  waitFor(predicate: (frame: unknown) => boolean): Promise<unknown>;
  waitFor(partial: object): Promise<Readonly<Record<string, unknown>>>;
  waitFor(match: object | ((frame: unknown) => boolean)): Promise<unknown> {
    const matches =
      typeof match === 'function' ? match : (frame: unknown): boolean => matchesPartially(frame, match);
    return this.#inbox.wait({
      what: () => `a frame that matches ${abridge(match)}`,
      judge: (frame) => (matches(frame) ? { done: frame } : 'leave'),
    });
  }

  /**
   * Sends `{ event, data, id }` and resolves with the final answer, be it `data` or `error`. Items of a
   * stream stay in the queue. `id` is random unless given.
   */
  request(event: string, data?: unknown, options: { readonly id?: MessageId } = {}): Promise<AckFrame> {
    const id = options.id ?? randomUUID();
    return this.#ask({ event, data, id }, (ack) => (ack.more ? 'leave' : { done: ack }));
  }

  /**
   * Sends `{ event, data, id }` and resolves when the stream has ended: with the `data` of its items and
   * the final answer. The timeout holds for each item.
   */
  stream(event: string, data?: unknown): Promise<{ items: unknown[]; final: AckFrame }> {
    const items: unknown[] = [];
    return this.#ask({ event, data, id: randomUUID() }, (ack) => {
      if (!ack.more) return { done: { items, final: ack } };
      items.push(ack.data);
      return 'take';
    });
  }

  /** Sends `$subscribe` and resolves with its answer. `extra` goes into the data: `params`, `since`. */
  subscribe(channel: string, extra: object = {}): Promise<AckFrame> {
    return this.request('$subscribe', { ...extra, channel });
  }

  /** Sends `$unsubscribe` and resolves with its answer. `extra` goes into the data. */
  unsubscribe(channel: string, extra: object = {}): Promise<AckFrame> {
    return this.request('$unsubscribe', { ...extra, channel });
  }

  /** Sends `$hello` and resolves with its answer. */
  hello(data: object = {}): Promise<AckFrame> {
    return this.request('$hello', data);
  }

  /** Stops reading: what the server sends stays in the buffers of the kernel, like that of a slow reader. */
  pause(): void {
    this.#ws.pause();
  }

  /** Reads again after {@link pause}. */
  resume(): void {
    this.#ws.resume();
  }

  /**
   * Closes the connection and resolves as {@link closed} does. A paused client reads again, or it would
   * not see the answer; a server that does not answer within `timeoutMs` is left with 1006. Rejects when
   * `code` may not be sent or `reason` is longer than 123 bytes.
   */
  async close(code?: number, reason?: string): Promise<TestClose> {
    this.#ws.resume();
    this.#ws.close(code, reason);
    const timer = setTimeout(() => this.#ws.terminate(), this.timeoutMs).unref();
    const close = await this.closed;
    clearTimeout(timer);
    return close;
  }

  /** Drops the connection without a close frame: the server sees 1006. {@link closed} tells when it is done. */
  terminate(): void {
    this.#ws.terminate();
  }

  /** Terminates, and resolves when the connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ws.terminate();
    await this.closed;
  }

  #ask<Result>(
    frame: { readonly event: string; readonly data: unknown; readonly id: MessageId },
    judge: (ack: AckFrame) => Verdict<Result>,
  ): Promise<Result> {
    const text = JSON.stringify(frame);
    const answer = this.#inbox.wait({
      fromNow: true,
      what: () => `the answer to ${abridge(frame)}`,
      judge: (received) => (isAckOf(frame.id, received) ? judge(received) : 'leave'),
    });
    this.sendRaw(text);
    return answer;
  }
}

/** `1` and `"1"` are the same id. */
function isAckOf(id: MessageId, frame: unknown): frame is AckFrame {
  return isObject(frame) && 'ack' in frame && String(frame.ack) === String(id);
}
