/**
 * Whether `actual` has everything that `partial` has, at any depth. Arrays have to be of the same length;
 * a member that is `undefined` in `partial` has to be missing or `undefined`.
 *
 * @internal
 */
export function matchesPartially(actual: unknown, partial: unknown): boolean {
  if (!isObject(partial)) return Object.is(actual, partial);
  if (!isObject(actual) || Array.isArray(actual) !== Array.isArray(partial)) return false;
  if (Array.isArray(partial) && actual.length !== partial.length) return false;
  return Object.entries(partial).every(([key, value]) => matchesPartially(own(actual, key), value));
}

/**
 * Whether `value` has members; arrays have.
 *
 * @internal
 */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A frame such as `{}` has no `toString` or `__proto__`, whatever it inherits. */
function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
