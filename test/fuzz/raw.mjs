// Frames and requests that are written by hand, each by several peers at a time, against the server of the fuzzing.
// Writes to stdout as JSON what each has ended with, and the most memory that the server has had beyond its base.
import { setTimeout as delay } from 'node:timers/promises';
import { constants, deflateRawSync } from 'node:zlib';
import { PACKAGE_URL } from '../chaos/package-copy.mjs';
import { RawPeer } from './peer.mjs';
import { Server } from './server.mjs';
import { frame, UPGRADE } from './sockets.mjs';

const PEERS = 5;
const LIMIT = 65_536;
/** What a peer writes at the most that does not stop by itself. */
const ENDLESS_BYTES = 32 * 1_024 * 1_024;

const message = (bytes) => {
  const empty = '{"event":"echo","id":1,"data":""}';
  return empty.replace('""', () => `"${'x'.repeat(bytes - empty.length)}"`);
};
const repeated = (bytes, times) => Buffer.concat(Array.from({ length: times }, () => bytes));
const headers = (count) => Array.from({ length: count }, (_, at) => `X-${at}: y`);
const offerOf = (path) => requestOf('Sec-WebSocket-Extensions: permessage-deflate').replace('/ws', path);
const requestOf = (...further) => [...UPGRADE, ...further].join('\r\n') + '\r\n\r\n';

/** What is written behind the upgrade; `endless` again and again, until the server has had enough. */
const FRAMES = {
  unmasked: { bytes: frame(1, '{}', { mask: false }) },
  'reserved bit 1': { bytes: frame(1, '{}', { rsv: 4 }) },
  'reserved bit 2': { bytes: frame(1, '{}', { rsv: 2 }) },
  'reserved bit 3': { bytes: frame(1, '{}', { rsv: 1 }) },
  'reserved opcode': { bytes: frame(5, '{}') },
  'bad UTF-8': { bytes: frame(1, Buffer.from([0x22, 0xc3, 0x28, 0x22])) },
  'bad UTF-8 in a fragment': {
    bytes: Buffer.concat([frame(1, Buffer.from([0x22, 0xc3]), { fin: 0 }), frame(0, '"')]),
  },
  'one byte over the limit': { bytes: frame(1, message(LIMIT + 1)) },
  'one byte over the limit, in fragments': {
    bytes: Buffer.concat([
      frame(1, message(LIMIT + 1).slice(0, 100), { fin: 0 }),
      frame(0, message(LIMIT + 1).slice(100)),
    ]),
  },
  'a length of 63 bits': { bytes: frame(1, '', { length: 2 ** 53 - 1 }) },
  'endless fragments of a byte': {
    bytes: frame(1, '"', { fin: 0 }),
    endless: repeated(frame(0, 'x', { fin: 0 }), 1_000),
  },
  'endless fragments of nothing': {
    bytes: frame(1, '', { fin: 0 }),
    endless: repeated(frame(0, '', { fin: 0 }), 1_000),
  },
  'endless fragments of 16 KiB': {
    bytes: frame(1, '"', { fin: 0 }),
    endless: frame(0, 'x'.repeat(16_384), { fin: 0 }),
  },
  'a ping in fragments': { bytes: frame(9, 'x', { fin: 0 }) },
  'a close in fragments': { bytes: frame(8, '', { fin: 0 }) },
  'a ping of 126 bytes': { bytes: frame(9, 'x'.repeat(126)) },
  'a continuation of nothing': { bytes: frame(0, 'x') },
  'a message within a message': { bytes: Buffer.concat([frame(1, '"', { fin: 0 }), frame(1, '"')]) },
  'a close of one byte': { bytes: frame(8, Buffer.from([3])) },
  'a close with a code that is no code': { bytes: frame(8, Buffer.from([3, 0xed])) },
};

const REQUESTS = {
  '900 headers': { bytes: requestOf(...headers(900)) },
  '2,000 headers': { bytes: requestOf(...headers(2_000)) },
  'a header of 20 KiB': { bytes: requestOf(`X: ${'y'.repeat(20_480)}`) },
  'a header without an end': { bytes: `${UPGRADE[0]}\r\nX: `, endless: 'y'.repeat(16_384) },
  'a path of 20 KiB': { bytes: requestOf().replace('/ws', () => `/${'y'.repeat(20_480)}`) },
};

/** Zeros, deflated in blocks that know nothing of each other: a thousandth of their length. */
const ZEROS = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: constants.Z_SYNC_FLUSH });
const bomb = (mib) => repeated(ZEROS, mib);

/** What is written on a connection that has agreed to take it compressed. */
const BOMBS = {
  'a bomb that is over the limit as it is': { path: '/ws', bytes: frame(1, bomb(512), { rsv: 4 }) },
  'a bomb within the limit': { path: '/ws', bytes: frame(1, bomb(60), { rsv: 4 }) },
  'a bomb in fragments': {
    path: '/ws',
    bytes: Buffer.concat([
      frame(1, bomb(30), { fin: 0, rsv: 4 }),
      frame(0, bomb(15), { fin: 0 }),
      frame(0, bomb(15)),
    ]),
  },
  'a bomb of 512 MiB where messages may have one': { path: '/big', bytes: frame(1, bomb(512), { rsv: 4 }) },
  'what is not deflated': { path: '/ws', bytes: frame(1, 'not deflated', { rsv: 4 }) },
};

const server = await Server.start(PACKAGE_URL, '');
const cases = {};
try {
  // What has run once has its memory: code that was compiled, buffers that are kept.
  for (let round = 0; round < 3; round++) await run(async () => say(frame(1, message(LIMIT))));
  await run(async () => say(frame(1, message(LIMIT + 1))));
  await run(() =>
    say(FRAMES['endless fragments of a byte'].bytes, FRAMES['endless fragments of a byte'].endless),
  );
  cases['exactly the limit'] = await run(async () => say(frame(1, message(LIMIT))));
  for (const [name, input] of Object.entries(FRAMES))
    cases[name] = await run(() => say(input.bytes, input.endless));
  for (const [name, { path, bytes }] of Object.entries(BOMBS))
    cases[name] = await run(() => say(bytes, undefined, offerOf(path)));
  for (const [name, input] of Object.entries(REQUESTS)) cases[name] = await run(() => ask(input));
  console.log(JSON.stringify({ cases, faults: server.faults }, null, 2));
} finally {
  await server.end();
}

/** All peers at a time. */
async function run(attack) {
  server.forgetPeak();
  const { nowMb } = server.memory;
  const ends = await Promise.all(Array.from({ length: PEERS }, attack));
  // Not before the last of them is gone.
  await delay(50);
  return { ends: [...new Set(ends)], beyondBaseMb: Number((server.memory.peakMb - nowMb).toFixed(1)) };
}

/** The code of the close, or how many answers have come. */
async function say(bytes, endless, upgrade = requestOf()) {
  const peer = new RawPeer(server.port);
  try {
    peer.write(upgrade);
    await peer.until(() => peer.frames !== undefined);
    peer.write(bytes);
    await goOn(peer, endless, () => peer.closeCode !== undefined);
    await peer.until(() => peer.closeCode !== undefined || peer.texts.length > 0);
    return peer.closeCode ?? `${peer.texts.length} answer`;
  } finally {
    peer.end();
  }
}

/** The status. */
async function ask({ bytes, endless }) {
  const peer = new RawPeer(server.port);
  try {
    peer.write(bytes);
    await goOn(peer, endless, () => peer.status !== undefined);
    await peer.until(() => peer.status !== undefined);
    return peer.status ?? 'cut off';
  } finally {
    peer.end();
  }
}

async function goOn(peer, endless, isOver) {
  if (endless === undefined) return;
  for (let sent = 0; sent < ENDLESS_BYTES && !isOver() && !peer.hasEnded; sent += endless.length) {
    peer.write(endless);
    await peer.drained();
    // The answer is to be seen when it comes.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
