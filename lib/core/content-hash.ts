import { hash } from 'node:crypto';

/** The same for the same event and data, whatever the order of the keys or the spaces between them. */
export function contentHash(event: string, data: unknown): string {
  return hash('sha256', `${JSON.stringify(event)}${canonicalJson(data)}`, 'base64url');
}

/** Nothing for what has no JSON: a parser of the application's own may give it, and then the event decides. */
function canonicalJson(data: unknown): string {
  if (typeof data !== 'object' || data === null) return JSON.stringify(data) ?? '';
  try {
    return JSON.stringify(data, sortKeys) ?? '';
  } catch {
    return '';
  }
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // What is in order already needs no copy: half of the cost of a hash.
  const keys = Object.keys(value);
  if (keys.every((key, at) => at === 0 || (keys[at - 1] as string) < key)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(byKey));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
