/** Where a command writes. */
export interface CommandOutput {
  /** What it was asked for: standard output. */
  out(text: string): void;
  /** How it goes, and what is wrong: standard error. */
  err(text: string): void;
  /** Whether standard error is a terminal, on which a line can be written anew. */
  readonly isTerminal: boolean;
}
