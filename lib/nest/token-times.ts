/** When a token was issued and when it ends, in milliseconds since the epoch. */
export interface TokenTimes {
  readonly expiresAt?: number;
  readonly issuedAt?: number;
}

/** Reads `exp` and `iat`, which RFC 7519 counts in seconds. */
export function tokenTimes(claims: unknown): TokenTimes {
  if (typeof claims !== 'object' || claims === null) return {};
  const { exp, iat } = claims as Readonly<Record<string, unknown>>;
  return { expiresAt: toMs(exp), issuedAt: toMs(iat) };
}

/** The same of a JWT that somebody has checked: what cannot be read has none. */
export function timesOfToken(token: string): TokenTimes {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return {};
  try {
    return tokenTimes(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  } catch {
    // No JWT, but something of the application's own.
    return {};
  }
}

function toMs(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}
