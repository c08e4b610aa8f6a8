/** Who is behind a connection, and for how long. */
export interface Identity {
  /** Empty when anonymous. */
  readonly principal: string;
  readonly user: unknown;
  /** When it ends, in milliseconds since the epoch. Without it, never. */
  readonly expiresAt?: number;
  /** When the token was issued, in milliseconds since the epoch. */
  readonly issuedAt?: number;
  /** By which it can be revoked. Without it, the texts and numbers of the user. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** Brings a new token. Gives who that is, or rejects with a `ChannelsError` for the peer. */
export type Renew = (token: string) => Promise<Identity>;

/** A claim as text, where there is one. What comes with every object, such as `constructor`, is none. */
export function claimOf({ claims, user }: Identity, name: string): string | undefined {
  const source: unknown = claims ?? user;
  if (typeof source !== 'object' || source === null || !Object.hasOwn(source, name)) return undefined;
  const value = (source as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' || Number.isFinite(value) ? String(value) : undefined;
}

/** Whether it can still be used. */
export function hasEnded({ expiresAt = Number.POSITIVE_INFINITY }: Identity, wallNow: number): boolean {
  return expiresAt <= wallNow;
}

/** What a peer is told: how long it may go on, by any clock. `undefined` for ever. */
export function remainingMs({ expiresAt }: Identity, wallNow: number): number | undefined {
  return expiresAt === undefined || expiresAt === Number.POSITIVE_INFINITY
    ? undefined
    : Math.max(0, Math.round(expiresAt - wallNow));
}
