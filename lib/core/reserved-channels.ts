/** The first segment of the names that belong to this package. */
const OWN = 'nestjs-channels';

/** Whether only this package may define a name or a pattern, and let anybody in. */
export function isReserved(name: string): boolean {
  return name === OWN || name.startsWith(`${OWN}:`);
}

/** @throws TypeError for a pattern that an application may not define */
export function checkNotReserved(pattern: string): void {
  if (!isReserved(pattern)) return;
  throw new TypeError(
    `"${pattern}": names that begin with "${OWN}" belong to this package; give the pattern another first segment.`,
  );
}
