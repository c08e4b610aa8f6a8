// The peers of bench/soak.mjs, in a process of their own: each connects, does a few things at random, and goes in
// one way or the other. Arguments: port, seed, how many are there at a time.
import { frame } from './load.mjs';
import { openPeer, readFrames } from './peer.mjs';

const KINDS = ['live', 'kept', 'present', 'latest', 'oldest'];
const ROOMS = 20;
const MOST_STEPS = 6;
const MOST_PAUSE_MS = 20;

/** Shares of the peers. The others are anonymous, or somebody with a session that they leave before it ends. */
const NOWHERE = 0.02;
const FORGED = 0.02;
const SHORT = 0.05;
/** Of those with a short session: they stay until its end. */
const STAYS = 0.2;
const ANONYMOUS = 0.3;
const BRIEF = 0.1;

const USERS = 2_000;
/** The server revokes one after the other, for a second. */
const BRIEF_USERS = 100;
const LONG_MS = 60_000;

/** An answer, or an end, that does not come. */
const PATIENCE_MS = 10_000;

const [port, seed, crowd] = process.argv.slice(2).map(Number);
/** `refused`: turned away, or closed, for no reason of theirs; `letIn`: not turned away where they had to be. */
const counts = {
  connections: 0,
  refused: 0,
  letIn: 0,
  unanswered: 0,
  steps: 0,
  ended: 0,
  revoked: 0,
  refusedWith: {},
};
let state = seed;
/** What those wait for who would come next. */
let open;
let gate = shut();
/** Those who are here, or on their way. */
const visits = new Set();

process.on('disconnect', () => process.exit());
process.on('message', async ({ type }) => {
  if (type === 'rest') {
    gate = shut();
    await Promise.all(visits);
  }
  if (type === 'go') open();
  process.send({ type, ...counts });
});

function shut() {
  return new Promise((resolve) => (open = resolve));
}

/** Mulberry32, as the tests have it. */
function chance() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

function below(end) {
  return Math.floor(chance() * end);
}

/** One place: a peer after the other. */
async function live() {
  for (;;) {
    // One after the other is what a place is.
    await gate;
    const visit = stay(new Visitor(++counts.connections));
    visits.add(visit);
    await visit;
    visits.delete(visit);
  }
}

/** Who comes, with what, and how it may be turned away. */
class Visitor {
  isOurs = chance() < 0.8;
  isNowhere = chance() < NOWHERE;
  isForged = chance() < FORGED;
  isShort = chance() < SHORT;
  stays = this.isShort && chance() < STAYS;
  isBrief = chance() < BRIEF;
  isAnonymous = !this.isShort && !this.isForged && chance() < ANONYMOUS;

  constructor(number) {
    this.number = number;
    this.name = this.isBrief ? `brief-${number % BRIEF_USERS}` : `user-${number % USERS}`;
    this.endsAt = Date.now() + (this.isShort ? 1_000 + below(1_000) : LONG_MS);
  }

  /** What it says of itself; `name` may be another's. */
  token(name = this.name, endsAt = this.endsAt) {
    if (this.isForged) return 'forged';
    return Buffer.from(JSON.stringify({ sub: name, sid: name, exp: endsAt / 1_000 })).toString('base64url');
  }

  /** Where it connects to: a path that no gateway has, too. */
  get target() {
    const path = this.isNowhere ? '/nowhere' : '/ws';
    const token = this.isAnonymous ? undefined : this.token();
    if (!this.isOurs) return { port, path, authorization: token && `Bearer ${token}` };
    const bearer = token && `nestjs-channels.bearer.${Buffer.from(token).toString('base64url')}`;
    return { port, path, protocol: ['nestjs-channels.v1.json', bearer].filter(Boolean).join(', ') };
  }

  get isTurnedAway() {
    return this.isNowhere || this.isForged;
  }

  /** By a status or a code of the server's: what it had to expect. */
  notice(code) {
    if (this.isNowhere ? code === 404 || code === 4504 : this.isForged && (code === 401 || code === 4501))
      return;
    if (this.isShort && [401, 4401, 4501].includes(code)) counts.ended++;
    else if (this.isImpostor && code === 4401) counts.ended++;
    else if ((code === 403 || code === 4503) && this.isBrief && !this.isAnonymous) counts.revoked++;
    else {
      counts.refused++;
      counts.refusedWith[code] = (counts.refusedWith[code] ?? 0) + 1;
    }
  }
}

async function stay(visitor) {
  let socket;
  try {
    socket = await openPeer(visitor.target);
  } catch (error) {
    visitor.notice(Number(/^HTTP\/1\.1 (\d+)/.exec(error.message)?.[1]));
    return;
  }
  socket.on('error', () => undefined);
  const answers = new Map();
  let code;
  readFrames(socket, {
    onText(text) {
      const { ack, id, event } = JSON.parse(text);
      answers.get(ack)?.();
      if (event === 'ask' && chance() < 0.7) socket.write(frame(JSON.stringify({ ack: id, data: 'yes' })));
    },
    onClose: (given) => (code = given),
  });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  if (visitor.isTurnedAway) await inTime(ended);
  for (let step = below(MOST_STEPS); step >= 0 && !socket.destroyed; step--) {
    counts.steps++;
    const id = `${visitor.number}-${step}`;
    const answered = new Promise((resolve) => answers.set(id, resolve));
    socket.write(frame(JSON.stringify({ ...draw(visitor), id })));
    if (chance() < 0.7) await inTime(Promise.race([answered, ended]));
    else if (chance() < 0.5) await pause();
  }
  if (visitor.stays) await inTime(ended);
  const hasLeft = !socket.destroyed;
  if (hasLeft) leave(socket);
  await inTime(ended);
  socket.destroy();
  if (code !== undefined && !(hasLeft && code === 1000)) visitor.notice(code);
  else if (visitor.isTurnedAway) counts.letIn++;
}

function draw(visitor) {
  const { number } = visitor;
  const channel = `${KINDS[below(KINDS.length)]}:${below(ROOMS)}`;
  const what = below(10);
  if (what === 0) return { event: '$hello', data: { clientId: String(number % 5_000).padStart(22, 'c') } };
  if (what <= 3) return { event: '$subscribe', data: { channel } };
  if (what === 4) return { event: '$unsubscribe', data: { channel } };
  if (what === 5) return { event: 'late' };
  if (what === 6) return { event: 'counted' };
  if (what === 7) return { event: '$refresh', data: { token: renewed(visitor) } };
  return { event: what === 8 ? 'acked' : 'echo', data: 'x'.repeat(below(300)) };
}

/** The same for a while longer, and sometimes of somebody else: that ends the connection. */
function renewed(visitor) {
  if (visitor.stays) return visitor.token();
  visitor.isImpostor ||= chance() < 0.1;
  return visitor.token(visitor.isImpostor ? 'eve' : visitor.name, visitor.endsAt + LONG_MS);
}

/** A reset, an end, a close frame, or half a frame and a reset. */
function leave(socket) {
  const way = below(4);
  if (way === 0) socket.end();
  else if (way === 1) socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
  else if (way === 2) socket.resetAndDestroy();
  else socket.write(Buffer.from([0x81, 0xfe, 0x10]), () => socket.resetAndDestroy());
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, below(MOST_PAUSE_MS)));
}

function inTime(answered) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      counts.unanswered++;
      resolve();
    }, PATIENCE_MS);
    void answered.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

for (let place = 0; place < crowd; place++) void live();
