/** A figure in a few characters: `1.2 k`, `0.35`; a dash where there is none. */
export function format(value: number | undefined): string {
  if (value === undefined) return '–';
  const [divisor, unit] = unitOf(Math.abs(value));
  const scaled = value / divisor;
  const digits = Number.isInteger(scaled) || Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  return scaled.toFixed(digits) + unit;
}

/** The same of bytes. */
export function formatBytes(value: number | undefined): string {
  return value === undefined ? format(value) : `${format(value)}B`.replace(/(?<=\d)B/, ' B');
}

/** Time that has gone, in whole seconds or minutes. */
export function formatAge(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function unitOf(size: number): readonly [divisor: number, unit: string] {
  if (size >= 1e9) return [1e9, ' G'];
  if (size >= 1e6) return [1e6, ' M'];
  return size >= 1e4 ? [1e3, ' k'] : [1, ''];
}
