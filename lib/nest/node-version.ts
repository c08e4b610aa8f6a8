/** Major and minor of the oldest of each line that is supported; `engines` of package.json says the same to npm. */
const OLDEST: readonly (readonly [major: number, minor: number])[] = [
  [20, 19],
  [22, 12],
  [24, 0],
];

/** What to tell somebody whose Node is none of those that the package is tested on. npm only warns of it. */
export function adviceOnNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  const oldest = OLDEST.find(([line]) => line === major);
  const isSupported = oldest ? minor >= oldest[1] : major > 24;
  if (isSupported) return undefined;
  return `Node ${version} is not supported: install Node 24 or later, 22.12 or a later 22, or 20.19 or a later 20.`;
}
