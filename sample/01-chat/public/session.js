// Of this tab alone: a reload stays logged in, and two tabs may be two people.
const KEY = 'chat.session';

export function user() {
  return read().name;
}

/** @throws Error with a text for people, where the server refuses the name or is away */
export async function logIn(name) {
  write({ name: name.trim(), token: await requestToken(name) });
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** The client asks before every attempt to connect, with `refresh` when the server has refused the last token. */
export async function token({ refresh }) {
  const { name, token: known } = read();
  if (known && !refresh) return known;
  // Refused is refused, also where the login below fails.
  write({ name });
  const fresh = await requestToken(name);
  if (user() === name) write({ name, token: fresh });
  return fresh;
}

async function requestToken(name) {
  const response = await post('/login', { name });
  const body = await response.json();
  if (!response.ok) throw new Error([body.message].flat().join(', '));
  return body.token;
}

async function post(path, body) {
  try {
    const headers = { 'Content-Type': 'application/json' };
    return await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  } catch (cause) {
    throw new Error('The server cannot be reached. Try again in a moment.', { cause });
  }
}

function read() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
}

function write(session) {
  sessionStorage.setItem(KEY, JSON.stringify(session));
}
