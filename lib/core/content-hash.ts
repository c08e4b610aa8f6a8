import { hash } from 'node:crypto';

/** No longer than a hash, it stands for itself. It begins with a bracket, as no hash does. */
const LONGEST_PLAIN = 43;

/** The same for the same event and data, whatever the order of the keys or the spaces between them. */
export function contentHash(event: string, data: unknown): string {
  const content = canonicalJson(event, data);
  return content.length <= LONGEST_PLAIN ? content : hash('sha256', content, 'base64url');
}

/** Data may have no JSON where a parser of the application's own has made it: then the event decides. */
function canonicalJson(event: string, data: unknown): string {
  const content = data === undefined ? [event] : [event, data];
  try {
    return isOrdered(data) ? JSON.stringify(content) : JSON.stringify(content, sortKeys);
  } catch {
    return JSON.stringify([event]);
  }
}

/** Whether nothing in it has to be sorted: a fifth of the cost. */
function isOrdered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isOrdered);
  // What is made into something else, as a date is, may have any keys then.
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return false;
  let before = '';
  for (const key in value) {
    if (key < before || !isOrdered((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(byKey));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
