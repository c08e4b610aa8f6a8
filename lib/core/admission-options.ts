/**
 * Who is let in, and how fast: caps and rates of connections and handshakes. All of them count on each node for
 * itself: behind a balancer `n` nodes let `n` times as many in.
 */
export interface AdmissionOptions {
  /**
   * Handshakes that a node begins in a second, and in one burst at most. One more is refused with 503, or 1013
   * for a client of ours, and told when its turn is: the refused get slots in the order in which they came. A
   * client of ours that comes back in its slot is let in before anybody new. Up to half of the rate is kept for
   * those who are due, none at a rate of 1. The rest goes to whoever comes, so that who stays away costs nobody
   * a turn. A slot counts only at the node that gave it: who is sent to another one by a balancer competes there
   * as anybody new, and each node still lets its rate in. `0` turns it off.
   *
   * @default 0
   */
  handshakesPerSecond?: number;

  /**
   * Connections that a node has at the same time, with those whose guards still run. One more is refused with
   * 503, or 1013 for a client of ours, and told when to ask again, which spreads those who wait. While clients
   * of ours that have waited are due up to 16 places are kept for them, and at most half. `0` turns it off.
   *
   * @default 0
   */
  maxConnections?: number;

  /**
   * Connections that one principal has on a node at the same time. One more is refused with 429, or 4429 for a
   * client of ours, when its guards have said who it is. The newest is refused and no older one closed: those
   * that work go on, and two tabs do not throw each other out in turns for ever. Connections that died without
   * a word count until they are reaped. Anonymous ones are not counted.
   *
   * @default 100
   */
  maxConnectionsPerPrincipal?: number;

  /**
   * Connections that one address has on a node at the same time, with those whose guards still run. One more is
   * refused with 429, or 4429 for a client of ours. An IPv6 address counts by its first 64 bits, which is what
   * one subscriber has. `0` turns it off, also where `trustProxy` is set.
   *
   * @default 0, because behind a proxy everybody has its address; 1_000 where `trustProxy` is set
   */
  maxConnectionsPerAddress?: number;

  /**
   * Handshakes that one address begins in a second on a node, and in one burst at most. One more is refused
   * with 429, or 4429 for a client of ours, and told when to come back. Addresses count as in
   * `maxConnectionsPerAddress`. `0` turns it off, also where `trustProxy` is set.
   *
   * @default 0, because behind a proxy everybody has its address; 100 where `trustProxy` is set
   */
  handshakesPerSecondPerAddress?: number;

  /**
   * Destroy a socket of the HTTP server that has sent bytes for this long, but no complete head of a request:
   * not of the first one, and not of a later one on the same socket. The body of a request may take as long as
   * it likes. Node's own check, `server.headersTimeout`, stays as it is: with its defaults it takes up to 90 s,
   * and a socket that dribbles was seen to last 65.9 s (Node 20). `0` leaves it to Node.
   *
   * With `idleTimeoutMs` a socket that has never sent a byte is destroyed after that time as well.
   *
   * @default 30_000
   */
  idleUpgradeTimeoutMs?: number;
}

export const ADMISSION_DEFAULTS: Readonly<Required<AdmissionOptions>> = {
  handshakesPerSecond: 0,
  maxConnections: 0,
  maxConnectionsPerPrincipal: 100,
  maxConnectionsPerAddress: 0,
  handshakesPerSecondPerAddress: 0,
  idleUpgradeTimeoutMs: 30_000,
};

/**
 * What holds for addresses once they can be told apart. An office or a mobile carrier may stand behind one
 * address: a thousand people are let in, and a hundred of them in the second after a deploy.
 */
export const ADDRESS_DEFAULTS = {
  maxConnectionsPerAddress: 1_000,
  handshakesPerSecondPerAddress: 100,
} as const satisfies AdmissionOptions;

/** For all but one of them zero means "off". */
export const ADMISSION_MAY_BE_ZERO = Object.keys(ADMISSION_DEFAULTS).filter(
  (name) => name !== 'maxConnectionsPerPrincipal',
);
