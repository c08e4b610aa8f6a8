/** Of this page: random, since whoever knows it can cut the line. */
export const name = [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, '0'))
  .join('');

export const cut = () => ask('PUT');
export const mend = () => ask('DELETE');

async function ask(method) {
  const response = await fetch(`/lines/${name}/cut`, { method });
  if (!response.ok) throw new Error('There is no line to cut.');
}
