/** Reads once for all who ask in a turn of the event loop: each of several metrics would walk over all connections. */
export function oncePerTurn<T extends object>(read: () => T): () => T {
  let known: T | undefined;
  const forget = (): void => {
    known = undefined;
  };
  return () => {
    if (known) return known;
    setImmediate(forget);
    return (known = read());
  };
}
