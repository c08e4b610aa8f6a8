import { Counts } from './counts.js';
import { Timings } from './timings.js';

/** How many messages may have no answer. No more are sent while there are so many. */
const MAX_UNANSWERED = 10_000;

/** What the connections of a run have seen so far. */
export class LoadFigures {
  /** Welcomed for the first time, and again. */
  opened = 0;
  cameBack = 0;
  /** Attempts to connect that failed, and connections that ended, by close code or by the client's reason. */
  readonly refused = new Counts();
  readonly lost = new Counts();
  /** Errors of sockets, such as `ECONNREFUSED`, and what the clients told by `$error`, by their codes. */
  readonly causes = new Counts();
  readonly errors = new Counts();
  readonly connectMs = new Timings();

  joined = 0;
  readonly refusedJoins = new Counts();
  readonly joinMs = new Timings();

  sent = 0;
  /** Due, and not sent: nobody was there to send it, or too many had no answer. */
  unsent = 0;
  answered = 0;
  readonly failed = new Counts();
  readonly answerMs = new Timings();

  received = 0;
  gaps = 0;
  /** What slow readers were told that they have not got. */
  dropped = 0;
  readonly deliveryMs = new Timings();

  /** Messages that have neither an answer nor an error yet. */
  get unanswered(): number {
    return this.sent - this.answered - this.failed.total;
  }

  /** Whether one more may be sent. */
  get hasRoom(): boolean {
    return this.unanswered < MAX_UNANSWERED;
  }
}
