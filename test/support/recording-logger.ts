import type { LoggerService } from '@nestjs/common';

/** Keeps what is logged: give it to `app.useLogger()`. */
export class RecordingLogger implements LoggerService {
  readonly logs: string[] = [];
  readonly warnings: string[] = [];
  readonly errors: string[] = [];
  readonly debugs: string[] = [];
  /** What is written below each error. */
  readonly stacks: (string | undefined)[] = [];

  log(message: unknown): void {
    this.logs.push(String(message));
  }

  warn(message: unknown): void {
    this.warnings.push(String(message));
  }

  error(message: unknown, stack?: unknown): void {
    this.errors.push(String(message));
    this.stacks.push(stack === undefined ? undefined : String(stack));
  }

  debug(message: unknown): void {
    this.debugs.push(String(message));
  }

  /** Everything that would stand in a log, in no order. */
  get lines(): readonly string[] {
    return [...this.logs, ...this.warnings, ...this.errors, ...this.debugs];
  }
}
