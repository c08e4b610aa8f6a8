import type { HistoryRule } from './broker.interface.js';
import {
  CHANNEL_DEFAULTS,
  CHANNEL_SYNTAX,
  type ChannelDefinition,
  type Overflow,
} from './channel-definition.js';
import { Pattern, PatternTable } from './pattern.js';

/** What the application has defined about its channels, by name, whatever path a subscriber comes by. */
export class ChannelCatalog {
  readonly #table = new PatternTable<ChannelDefinition>(CHANNEL_SYNTAX);
  readonly #byShape = new Map<string, ChannelDefinition>();
  #hasHistories = false;
  #hasPresence = false;
  #hasOverflow = false;

  /** @throws TypeError where the same names have other options already */
  add(definition: ChannelDefinition, where: string): void {
    const pattern = new Pattern(definition.pattern, CHANNEL_SYNTAX);
    const known = this.#byShape.get(pattern.shape);
    if (known) {
      if (JSON.stringify(known.options) === JSON.stringify(definition.options)) return;
      throw new TypeError(
        `${where}: "${definition.pattern}" has other options elsewhere; share one defineChannel(...).`,
      );
    }
    this.#byShape.set(pattern.shape, definition);
    this.#table.add(pattern, definition);
    if (definition.options.history) this.#hasHistories = true;
    if (definition.options.presence) this.#hasPresence = true;
    if (definition.options.overflow !== CHANNEL_DEFAULTS.overflow) this.#hasOverflow = true;
  }

  /** By which a channel was defined; `undefined` where it was not. */
  patternOf(channel: string): string | undefined {
    return this.#table.match(channel)?.value.pattern;
  }

  get definitions(): Iterable<ChannelDefinition> {
    return this.#byShape.values();
  }

  /** What a channel keeps; `undefined` where it keeps nothing. */
  historyOf(channel: string): HistoryRule | undefined {
    // The usual application has none, and a publication should not pay for that.
    if (!this.#hasHistories) return undefined;
    return this.#table.match(channel)?.value.options.history;
  }

  /** Whether a channel tells who is in it. */
  hasPresence(channel: string): boolean {
    return this.#hasPresence && (this.#table.match(channel)?.value.options.presence ?? false);
  }

  /** What a channel does for a reader that is slower than it. */
  overflowOf(channel: string): Overflow {
    const options = this.#hasOverflow ? this.#table.match(channel)?.value.options : undefined;
    return (options ?? CHANNEL_DEFAULTS).overflow;
  }
}
