import type { Connection } from './connection.js';
import type { Engine } from './engine.js';

/** One connection, as it can be told to others. */
export interface ConnectionSummary {
  readonly id: string;
  /** Empty when anonymous. */
  readonly principal: string;
  readonly path: string;
  readonly channels: readonly string[];
}

/**
 * Members of a user by name. What has no JSON of its own, such as an object, `undefined` or `NaN`, fits nobody.
 */
export type ClaimFilter = Readonly<Record<string, string | number | boolean>>;

/** Which connections are meant. With several members, those that fit all of them. */
export interface ConnectionFilter {
  readonly connectionId?: string;
  readonly principal?: string;
  /** Those that are in this channel. */
  readonly channel?: string;
  /**
   * Those whose user, which the handshake guards have set, has all of these members, strictly equal. An empty object
   * fits nobody.
   */
  readonly claims?: ClaimFilter;
}

const TEXTS = ['connectionId', 'principal', 'channel'] as const;

/**
 * The members that are known and given. `undefined` where one has a value that nobody can have: such a filter fits
 * nobody, here and on every other node.
 */
export function parseFilter(value: unknown): ConnectionFilter | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const filter: { -readonly [Name in keyof ConnectionFilter]: ConnectionFilter[Name] } = {};
  for (const name of TEXTS) {
    const text = given[name];
    if (text === undefined) continue;
    if (typeof text !== 'string') return undefined;
    filter[name] = text;
  }
  if (given['claims'] === undefined) return filter;
  if (!isClaimFilter(given['claims'])) return undefined;
  return { ...filter, claims: given['claims'] };
}

/** Goes by the members that are known: one with a name that is misspelt must not mean everybody. */
export function isEmpty({ connectionId, principal, channel, claims }: ConnectionFilter): boolean {
  return (connectionId ?? principal ?? channel ?? claims) === undefined;
}

/** The connections of this node that a filter fits. */
export function findConnections(engine: Engine, filter: ConnectionFilter): Connection[] {
  return [...candidates(engine, filter)].filter(
    (connection) =>
      connection.writable &&
      (filter.connectionId === undefined || connection.id === filter.connectionId) &&
      (filter.principal === undefined || connection.principal === filter.principal) &&
      (filter.channel === undefined || connection.subscriptions.has(filter.channel)) &&
      (filter.claims === undefined || hasClaims(connection.info.user, filter.claims)),
  );
}

export function summarize(connection: Connection): ConnectionSummary {
  return {
    id: connection.id,
    principal: connection.principal,
    path: connection.path,
    channels: [...connection.subscriptions.channels()],
  };
}

function candidates(engine: Engine, { connectionId, channel }: ConnectionFilter): Iterable<Connection> {
  if (connectionId !== undefined) {
    const connection = engine.connections.get(connectionId);
    return connection ? [connection] : [];
  }
  if (channel === undefined) return engine.connections.values();
  return [...engine.hub.subscribers(channel)].map(({ connection }) => connection);
}

/** Without a claim it would fit everybody, and a value without JSON would be another one at the next node. */
function isClaimFilter(value: unknown): value is ClaimFilter {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const claims = Object.values(value);
  return claims.length > 0 && claims.every(isClaim);
}

function isClaim(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function hasClaims(user: unknown, claims: ClaimFilter): boolean {
  if (typeof user !== 'object' || user === null) return false;
  return Object.entries(claims).every(
    ([name, value]) => (user as Readonly<Record<string, unknown>>)[name] === value,
  );
}
