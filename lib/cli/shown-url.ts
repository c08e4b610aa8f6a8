/** A url as it is told: its query may have a secret in it. */
export function shownUrl(url: string): string {
  const [place, query] = url.split('?');
  return query === undefined ? url : `${place}?…`;
}
