import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ChannelsClientError } from '../client/index.js';
import { Attendance } from './attendance.js';
import { LoadConnection } from './load-connection.js';
import { noChannel, noConnection } from './load-error.js';
import { LoadFigures } from './load-figures.js';
import type { LoadOptions } from './load-options.js';
import { loadResult, type LoadResult } from './load-result.js';
import { MarkerTable } from './marker-table.js';
import { channelOf } from './message-template.js';
import { OwnLoad } from './own-load.js';
import { Pacer } from './pacer.js';
import { shownUrl } from './shown-url.js';
import { SocketTable } from './socket-table.js';
import { tickUntil } from './ticks.js';

/** How long connections that have begun may take to join before messages are sent, in milliseconds. */
const SETTLE_MS = 10_000;

/** At the end nothing more is waited for when nothing has come for so long, or after so long, in milliseconds. */
const QUIET_MS = 1_000;
const DRAIN_MS = 12_000;

/** How long peers may take to answer a close, in milliseconds. */
const CLOSE_MS = 1_000;

/** What a run is doing. */
export type LoadPhase = 'connecting' | 'sending' | 'waiting' | 'closing';

/** One run: connects all, sends for a while, waits for what is under way, closes. */
export class LoadRun {
  readonly figures = new LoadFigures();
  readonly markers = new MarkerTable(randomBytes(6).toString('hex'));
  readonly #options: LoadOptions;
  readonly #signal: AbortSignal;
  readonly #sockets = new SocketTable(this.figures.causes);
  readonly #connections: readonly LoadConnection[];
  readonly #roomOf = new Map<string, string>();
  readonly #attendance = new Attendance();
  #phase: LoadPhase = 'connecting';
  #begun = 0;
  #turn = 0;

  /** @param signal - ends the run early; what was measured by then is told */
  constructor(options: LoadOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    for (const room of options.rooms) this.#roomOf.set(channelOf(options.channel, room), room);
    this.#connections = this.#makeConnections();
  }

  get phase(): LoadPhase {
    return this.#phase;
  }

  get openCount(): number {
    return this.#connections.filter(({ isOpen }) => isOpen).length;
  }

  /**
   * Resolves when all connections are closed.
   *
   * @throws LoadError where the first connection cannot be opened, or has a message to send and is let into no channel
   */
  async run(): Promise<LoadResult> {
    try {
      return await this.#measure();
    } finally {
      this.#phase = 'closing';
      await this.#close();
    }
  }

  async #measure(): Promise<LoadResult> {
    const startedAt = new Date();
    await this.#openFirst();
    const connectingLoad = new OwnLoad();
    await this.#openAll();
    const connecting = connectingLoad.stop();
    this.#phase = 'sending';
    const ownLoad = new OwnLoad();
    const sendingMs = await this.#send();
    const own = ownLoad.stop();
    const receivedWhileSending = this.figures.received;
    this.#phase = 'waiting';
    await this.#drain();
    return loadResult(this.#options, this.figures, {
      startedAt,
      wasInterrupted: this.#signal.aborted,
      sendingMs,
      receivedWhileSending,
      openAtEnd: this.openCount,
      deliveries: this.markers.totals(),
      own: { ...own, connecting },
    });
  }

  #makeConnections(): LoadConnection[] {
    const { url, connections, channelsPerConnection, tokens } = this.#options;
    const channels = [...this.#roomOf.keys()];
    const world = {
      url,
      WebSocket: this.#sockets.WebSocket,
      figures: this.figures,
      attendance: this.#attendance,
      arrived: (data: unknown, connection: number, now: number) => this.#arrived(data, connection, now),
    };
    return Array.from({ length: connections }, (_, number) => {
      const first = number * channelsPerConnection;
      const own = Array.from(
        { length: channelsPerConnection },
        (_channel, at) => (first + at) % channels.length,
      );
      const names = own.flatMap((at) => channels[at] ?? []);
      return new LoadConnection(number, { channels: names, token: tokens[number % tokens.length] }, world);
    });
  }

  /** Alone, so that a server that is away, or has none of its channels, is met by one and told at once. */
  async #openFirst(): Promise<void> {
    const [first] = this.#connections;
    if (!first) return;
    first.open();
    this.#begun = 1;
    const isUnderWay = (): boolean => first.state.name === 'idle' || first.state.name === 'connecting';
    await tickUntil(() => !isUnderWay(), this.#signal);
    if (!first.isOpen && !this.#signal.aborted)
      throw noConnection(shownUrl(this.#options.url), first.state, this.figures.causes);
    // Only who is in a channel sends.
    if (this.#options.event === undefined || this.#options.tokens.length > 1) return;
    await tickUntil((elapsedMs) => elapsedMs >= SETTLE_MS || !first.isOpen || first.isReady, this.#signal);
    if (first.isRefused && this.figures.refusedJoins.total > 0)
      throw noChannel(first.channels, this.figures.refusedJoins);
  }

  async #openAll(): Promise<void> {
    const { connectsPerSecond } = this.#options;
    const pacer = new Pacer(connectsPerSecond, this.#connections.length - this.#begun);
    let begunAllAt: number | undefined;
    await tickUntil((elapsedMs) => {
      for (let due = pacer.take(elapsedMs); due > 0; due--) this.#connections[this.#begun++]?.open();
      if (!pacer.isDone) return false;
      begunAllAt ??= elapsedMs;
      return elapsedMs - begunAllAt >= SETTLE_MS || this.#connections.every(({ isReady }) => isReady);
    }, this.#signal);
  }

  async #send(): Promise<number> {
    const { event, messagesPerSecond, durationMs } = this.#options;
    const pacer = new Pacer(messagesPerSecond);
    this.figures.received = 0;
    return tickUntil((elapsedMs) => {
      if (event !== undefined) this.#sendDue(event, pacer.take(Math.min(elapsedMs, durationMs)));
      return elapsedMs >= durationMs;
    }, this.#signal);
  }

  #sendDue(event: string, count: number): void {
    for (let left = count; left > 0; left--) this.#sendOne(event);
  }

  #sendOne(event: string): void {
    const { figures, markers } = this;
    const from = figures.hasRoom ? this.#nextSender() : undefined;
    if (!from) {
      figures.unsent++;
      return;
    }
    const { connection, channel } = from;
    const sentAt = performance.now();
    const text = markers.add(connection.number, this.#attendance.count(channel) - 1, sentAt);
    const data = this.#options.template.render({ room: this.#roomOf.get(channel) ?? '', text });
    figures.sent++;
    connection.send(event, data).then(
      () => {
        figures.answered++;
        figures.answerMs.add(performance.now() - sentAt);
        markers.answered(text);
      },
      (error: unknown) => figures.failed.add(error instanceof ChannelsClientError ? error.code : 'unknown'),
    );
  }

  /** Connections take turns; those that are away, or in no channel, are passed over. */
  #nextSender(): { readonly connection: LoadConnection; readonly channel: string } | undefined {
    const { length } = this.#connections;
    for (let tried = 0; tried < length; tried++) {
      const connection = this.#connections[this.#turn++ % length];
      const channel = connection?.nextChannel();
      if (connection && channel !== undefined) return { connection, channel };
    }
    return undefined;
  }

  #arrived(data: unknown, connection: number, now: number): void {
    const ms = this.markers.arrive(data, connection, now);
    if (ms !== undefined) this.figures.deliveryMs.add(ms);
  }

  async #drain(): Promise<void> {
    const { figures, markers } = this;
    let seen = -1;
    let changedAt = 0;
    await tickUntil((elapsedMs) => {
      const progress = figures.received + figures.answered + figures.failed.total;
      if (progress !== seen) changedAt = elapsedMs;
      seen = progress;
      const isAnswered = figures.unanswered === 0;
      if (isAnswered && (markers.isComplete || !this.#options.template.hasText)) return true;
      const isQuiet = elapsedMs - changedAt >= QUIET_MS && (isAnswered || this.#signal.aborted);
      return isQuiet || elapsedMs >= DRAIN_MS;
    });
  }

  async #close(): Promise<void> {
    for (const connection of this.#connections.slice(0, this.#begun)) connection.close();
    await tickUntil((elapsedMs) => this.#sockets.isEmpty || elapsedMs >= CLOSE_MS);
    this.#sockets.terminate();
  }
}
