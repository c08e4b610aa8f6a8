/** What the heartbeat knows of one connection: times of its own, and what the transport had counted then. */
export class Pulse {
  heardAt = 0;
  sentAt = 0;
  spokeAt = 0;
  pingedAt = 0;
  pingAfterMs = 0;
  /** How old the connection may get, and then how long it has to go. */
  maxAgeMs = Infinity;
  bytesAtStart = 0;
  bytesRead = 0;
  bytesWritten = 0;
  bytesAtHeard = 0;
}
