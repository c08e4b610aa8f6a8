import { ChannelsClientError, type ClientErrorCode } from './client-error.js';
import { Listeners } from './listeners.js';

/** The listeners of a client, and what concerns all of it. */
export class Reporter extends Listeners {
  constructor() {
    super((cause, event) => (event === '$error' ? rethrow(cause) : this.listenerFailed(cause)));
  }

  /** A failure that belongs to no call. */
  fail(code: ClientErrorCode, message: string, cause?: unknown): void {
    this.tell('$error', new ChannelsClientError(code, message, { cause }));
  }

  /** In order, once the code that runs has finished: what a listener calls meets a client at rest. */
  tell(event: '$error' | '$settled' | '$state', told: unknown): void {
    queueMicrotask(() => this.emit(event, told));
  }

  /** A listener of the application threw; where nobody hears of that, it is thrown again. */
  readonly listenerFailed = (cause: unknown): void => {
    if (this.has('$error')) this.fail('listener_failed', 'A listener threw.', cause);
    else rethrow(cause);
  };
}

/** Where the runtime reports what nobody has caught. */
function rethrow(cause: unknown): void {
  queueMicrotask(() => {
    throw cause;
  });
}
