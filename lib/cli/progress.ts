/** How often it is told on a terminal, and elsewhere, such as a log. In milliseconds. */
const TERMINAL_MS = 1_000;
const LOG_MS = 5_000;

/** To the beginning of the line, and what is there is gone. */
const REWRITE = '\r\u001B[K';

/** Where a run tells how it goes. */
export interface ProgressOutput {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** Tells a line again and again: on a terminal in its place, elsewhere below each other. */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #line: () => string;
  readonly #timer: NodeJS.Timeout;

  /** @param line - is asked for the line of now, without its end */
  constructor(output: ProgressOutput, line: () => string) {
    this.#output = output;
    this.#line = line;
    this.#timer = setInterval(() => this.#tell(), output.isTerminal ? TERMINAL_MS : LOG_MS).unref();
  }

  /** What is written next stands on a line of its own. May be called twice. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#output.isTerminal) this.#output.write(REWRITE);
  }

  #tell(): void {
    const { isTerminal } = this.#output;
    this.#output.write(isTerminal ? `${REWRITE}${this.#line()}` : `${this.#line()}\n`);
  }
}
