/** A whole number that the command line has named, or the end of the process with a word about it. */
export function count(values, name) {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0) refuse(values, name, 'a whole number');
  return value;
}

export function refuse(values, name, wanted) {
  console.error(`--${name} ${values[name]}: ${wanted} is needed.`);
  process.exit(2);
}
