// JSON that compresses as what applications send does: words, numbers and keys that vary. From a seed, so that all
// servers get the same.

const WORDS = (
  'the of and to in order house market shipment window river contract engine signal morning delivered pending ' +
  'customer reported between seventeen winter station garden accepted second account northern traffic measure ' +
  'returned quickly paper silver payment balance opened closed training player score corner penalty referee ' +
  'weather mountain harbour ticket journey platform departure delayed reason technical thanks patience'
).split(' ');

/** Endless and the same for each seed: the generator named mulberry32. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What stands behind each key. Not every record has all of them. */
const FIELDS = {
  id: ({ integer }) => integer(1e9),
  title: ({ words }) => words(3, 7),
  author: ({ words }) => words(1, 2),
  status: ({ oneOf }) => oneOf(['pending', 'accepted', 'delivered', 'closed']),
  amount: ({ integer }) => integer(1e6) / 100,
  currency: ({ oneOf }) => oneOf(['EUR', 'USD', 'INR']),
  comment: ({ words }) => words(6, 20),
  updatedAt: ({ integer }) => new Date(1.7e12 + integer(1e11)).toISOString(),
  tags: ({ oneOf, integer }) => Array.from({ length: integer(4) }, () => oneOf(WORDS)),
  isPaid: ({ integer }) => integer(2) === 1,
  position: ({ integer }) => ({
    latitude: (integer(18e7) - 9e7) / 1e6,
    longitude: (integer(36e7) - 18e7) / 1e6,
  }),
};

/** A list of records, of exactly so many bytes as JSON. */
export function proseOf(seed, bytes) {
  const random = randomOf(seed);
  const integer = (below) => Math.floor(random() * below);
  const oneOf = (list) => list[integer(list.length)];
  const words = (least, most) =>
    Array.from({ length: least + integer(most - least + 1) }, () => oneOf(WORDS)).join(' ');
  const recordOf = () => {
    const present = Object.entries(FIELDS).filter(() => random() < 0.7);
    return Object.fromEntries(present.map(([key, valueOf]) => [key, valueOf({ integer, oneOf, words })]));
  };

  const data = { records: [], end: '' };
  const lengthWith = (records) => JSON.stringify({ ...data, records }).length;
  for (let record = recordOf(); lengthWith([...data.records, record]) <= bytes; record = recordOf()) {
    data.records.push(record);
  }
  const missing = bytes - lengthWith(data.records);
  return { ...data, end: words(missing, missing).slice(0, missing) };
}
