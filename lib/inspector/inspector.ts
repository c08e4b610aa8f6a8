import { Injectable } from '@nestjs/common';
import type { BrokerState } from '../core/broker.interface.js';
import { MAX_WATCH_MS } from '../core/control-messages.js';
import type { Connection } from '../core/connection.js';
import { Engine } from '../core/engine.js';
import { isUnavailable } from '../core/errors.js';
import type { Observer } from '../core/observer.interface.js';
import { ChannelsService } from '../nest/channels.service.js';
import { FIGURES_EVENT, FIGURES_VERSION, INSPECTOR_CHANNEL, type NodeFigures } from './figures.js';
import { Meter } from './meter.js';

/**
 * How often other nodes are asked for figures, and for how long beyond the wait for a node that is silent, in which
 * nobody is asked again: of three questions two may be lost.
 */
const ASK_EVERY_MS = 2_000;
const WATCH_MS = 6_000;

/** Figures come once a second: with the sweep, which may be a little early. */
const TELL_EVERY_MS = 900;

/**
 * Publishes the figures of this node while somebody looks, here or at another node. Whoever serves a page asks the other
 * nodes for theirs, again and again, so that a node stops by itself where the one that asked has died.
 */
@Injectable()
export class Inspector implements Observer {
  readonly #meter: Meter;
  /** By pages of other nodes. */
  #watchedUntil = -Infinity;
  #askedAt = -Infinity;
  #toldAt = -Infinity;
  #isAsking = false;
  #missing: readonly string[] = [];
  #broker: BrokerState = 'ready';

  constructor(
    private readonly engine: Engine,
    private readonly channels: ChannelsService,
  ) {
    this.#meter = new Meter(engine);
    engine.observers.expectTiming();
    engine.observers.attach(this);
  }

  watched(ms: number): void {
    this.#watchedUntil = Math.max(this.#watchedUntil, this.engine.clock.now() + ms);
  }

  brokerChanged(state: BrokerState): void {
    this.#broker = state;
  }

  swept(): void {
    const now = this.engine.clock.now();
    const watchers = this.#watchers();
    if (watchers.length === 0 && now >= this.#watchedUntil) {
      this.#meter.stop();
      this.#missing = [];
      return;
    }
    if (watchers.length > 0 && now - this.#askedAt >= ASK_EVERY_MS) void this.#ask(now);
    if (!this.#meter.isRunning) this.#begin(now);
    else if (now - this.#toldAt >= TELL_EVERY_MS) void this.#tell(watchers, now);
  }

  stopped(): void {
    this.#meter.stop();
  }

  /** Pages that this node serves. */
  #watchers(): readonly Connection[] {
    return [...this.engine.hub.subscribers(INSPECTOR_CHANNEL)].map(({ connection }) => connection);
  }

  /** The first figures are those of a whole second. */
  #begin(now: number): void {
    this.#toldAt = now;
    this.#meter.start();
  }

  /** One question at a time: a node that is silent is waited for. */
  async #ask(now: number): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#askedAt = now;
    try {
      const { control, options } = this.engine;
      const { missing } = await control.watch(Math.min(MAX_WATCH_MS, WATCH_MS + options.controlTimeoutMs));
      this.#missing = missing;
    } catch (error) {
      this.engine.observers.failed({ where: 'the inspector asking other nodes', error });
    } finally {
      this.#isAsking = false;
    }
  }

  #figures(watchers: number): NodeFigures {
    return {
      v: FIGURES_VERSION,
      node: this.engine.control.nodes.id,
      watchers,
      broker: this.#broker,
      missing: this.#missing,
      ...this.#meter.read(),
    };
  }

  async #tell(watchers: readonly Connection[], now: number): Promise<void> {
    this.#toldAt = now;
    const figures = this.#figures(watchers.length);
    const tellOwn = (): void => {
      for (const watcher of watchers) watcher.sendEvent(FIGURES_EVENT, figures);
    };
    // What it publishes then would not come back to it, and an operator needs to see that more than anything.
    const isAlone = this.#broker !== 'ready';
    if (isAlone) tellOwn();
    try {
      await this.channels.publish(INSPECTOR_CHANNEL, FIGURES_EVENT, figures);
    } catch (error) {
      if (!isAlone) tellOwn();
      // That the broker is away is told once, by the broker.
      if (!isUnavailable(error))
        this.engine.observers.failed({ where: 'the figures of the inspector', error });
    }
  }
}
