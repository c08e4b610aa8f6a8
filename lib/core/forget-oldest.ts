/** Makes room in a table in which the one that was set last stands last. */
export function forgetOldest(table: Map<string, unknown>): void {
  for (const key of table.keys()) {
    table.delete(key);
    return;
  }
}
