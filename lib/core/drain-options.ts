/** How clients are moved to other nodes: when this one stops, and all the time. docs/operations.md, "Deploys" */
export interface DrainOptions {
  /**
   * How long the clients of this library get to move to other nodes when the application shuts down. During the first
   * three quarters of it each is told to go in a slot of its own (`$drain`), and is served until it has gone: it
   * connects elsewhere before it leaves. Who is still there at the end is closed with 1012. Over as soon as none is
   * left. `0` closes all at once. A shutdown takes a moment more where peers answer the close, three quarters of a
   * second where they do not, and `shutdownTimeoutMs` where that is longer. A proxy in front has to know where else
   * to send them: docs/operations.md, "Behind a proxy".
   *
   * @default 4_000
   */
  drainWindowMs?: number;

  /**
   * How many clients a second are told to go, by all nodes together that drain at the same time and share a broker
   * with rates (`RedisBroker` does). Clients for whom the window is too short get a slot behind it, at the same pace of
   * this node alone, for which they wait without a connection; the log says so. `0` spreads them over the window, however many they are.
   *
   * @default 0
   */
  drainConnectsPerSecond?: number;

  /**
   * How old a connection may get, give or take a tenth: then a client of this library is told to connect anew
   * (`$drain`), and closed with 1012 where it has not gone within `drainWindowMs`; others are closed with 1012 at
   * once. Turns connections over all the time, so that new nodes get their share and a deploy is nothing special.
   * `0` for any age.
   *
   * @default 0
   */
  maxConnectionAgeMs?: number;
}

export const DRAIN_DEFAULTS = {
  drainWindowMs: 4_000,
  drainConnectsPerSecond: 0,
  maxConnectionAgeMs: 0,
} as const satisfies Required<DrainOptions>;

export const DRAIN_MAY_BE_ZERO = ['drainWindowMs', 'drainConnectsPerSecond', 'maxConnectionAgeMs'] as const;
