/** How many of the tool's connections are in each channel now. */
export class Attendance {
  readonly #counts = new Map<string, number>();

  enter(channel: string): void {
    this.#counts.set(channel, this.count(channel) + 1);
  }

  leave(channel: string): void {
    this.#counts.set(channel, Math.max(this.count(channel) - 1, 0));
  }

  count(channel: string): number {
    return this.#counts.get(channel) ?? 0;
  }
}
