// Bytes for a raw socket: requests that are no upgrade, and frames that violate RFC 6455. Each has what it may end
// with: close codes, HTTP statuses, or `end` where the server may cut it off.
import { FRAMES } from './corpus.mjs';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export const UPGRADE = [
  'GET /ws HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Protocol: nestjs-channels.v1.json',
];

const END_OF_HEAD = '\r\n\r\n';

/** The bytes of one frame of a client, as wrong as they are asked for. */
export function frame(opcode, payload = '', { fin = 1, rsv = 0, mask = true, length } = {}) {
  const bytes = Buffer.from(payload);
  const said = length ?? bytes.length;
  const [first, bit] = [(fin << 7) | (rsv << 4) | opcode, mask ? 0x80 : 0];
  let head = Buffer.from([first, bit | said]);
  if (said > 125 && said < 0x1_00_00) {
    head = Buffer.from([first, bit | 126, said >> 8, said & 0xff]);
  } else if (said > 125) {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = bit | 127;
    head.writeBigUInt64BE(BigInt(said), 2);
  }
  if (!mask) return Buffer.concat([head, bytes]);
  const key = [0x11, 0x22, 0x33, 0x44];
  return Buffer.concat([head, Buffer.from(key), bytes.map((byte, at) => byte ^ key[at & 3])]);
}

/** A class of inputs for an upgraded socket, and what it has to end with. */
export const BROKEN = {
  unmasked: (chance) => ({ bytes: frame(1, chance.pick(FRAMES), { mask: false }), codes: [1002] }),
  reserved: (chance) => ({ bytes: frame(1, 'x', { rsv: 1 + chance.below(7) }), codes: [1002] }),
  opcode: (chance) => ({
    bytes: frame(chance.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), 'x'),
    codes: [1002],
  }),
  utf8: (chance) => {
    const wrong = chance.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3]]);
    return { bytes: frame(1, Buffer.concat([Buffer.from('"'), Buffer.from(wrong)])), codes: [1007] };
  },
  length: (chance) => ({
    bytes: frame(1 + chance.below(2), '', {
      length: chance.pick([65_537, 70_000, 2 ** 31, 2 ** 32, 2 ** 53 - 1]),
    }),
    codes: [1009],
  }),
  fragments: (chance) => {
    const rest = Array.from({ length: 256 + chance.below(200) }, () => frame(0, 'x', { fin: 0 }));
    return { bytes: Buffer.concat([frame(1, '"', { fin: 0 }), ...rest]), codes: [1008] };
  },
  continuation: (chance) => ({ bytes: frame(0, 'x', { fin: chance.below(2) }), codes: [1002] }),
  interrupted: () => ({ bytes: Buffer.concat([frame(1, '"', { fin: 0 }), frame(1, 'x')]), codes: [1002] }),
  control: (chance) => {
    const opcode = chance.pick([8, 9, 10]);
    const bytes = chance.pick([frame(opcode, 'xx', { fin: 0 }), frame(opcode, Buffer.alloc(126))]);
    return { bytes, codes: [1002] };
  },
  close: (chance) => {
    const code = chance.pick([0, 999, 1004, 1005, 1006, 1016, 2999, 5000, 65_535]);
    const payload = chance.pick([Buffer.from([3]), Buffer.from([code >> 8, code & 0xff])]);
    return { bytes: frame(8, payload), codes: [1002] };
  },
  reason: () => ({ bytes: frame(8, Buffer.from([3, 0xe8, 0xff, 0xfe])), codes: [1007] }),
  stream: (chance) => {
    const bytes = Buffer.concat(Array.from({ length: 4 }, () => frame(1, chance.pick(FRAMES))));
    for (let at = 1 + chance.below(6); at > 0; at--) bytes[chance.below(bytes.length)] = chance.below(256);
    const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 4500];
    return { bytes: bytes.subarray(0, chance.below(bytes.length)), codes, mayEnd: true };
  },
};

/** Requests of which most are no upgrade; the peer has nothing more to say behind them. */
export function request(chance) {
  let lines = [...UPGRADE];
  const at = chance.below(lines.length);
  const wrong = chance.pick([
    () => lines.splice(at, 1),
    () => (lines[at] = 'x'.repeat(chance.below(3_000))),
    () => (lines[at] = lines[at].slice(0, chance.below(lines[at].length))),
    () =>
      (lines[0] = `GET ${chance.pick(['/', '/ws/../x', '//', '*', 'ws://[', '/\u00ff', `/${'a'.repeat(9_000)}`])} HTTP/1.1`),
    () => (lines[0] = `${chance.pick(['POST', 'CONNECT', 'HEAD', 'OPTIONS', 'BREW'])} /ws HTTP/1.1`),
    () => (lines[4] = `Sec-WebSocket-Version: ${chance.pick(['8', '99', 'x', '', '13, 13'])}`),
    () => (lines[5] = `Sec-WebSocket-Key: ${chance.pick(['', 'short', KEY.repeat(50)])}`),
    () =>
      (lines[6] = `Sec-WebSocket-Protocol: ${chance.pick([',', 'a,a', 'nestjs-channels.v9.x', 'nestjs-channels.bearer.!', '\u00ff'])}`),
    () =>
      lines.push(
        `Sec-WebSocket-Extensions: ${chance.pick(['constructor; __proto__', 'permessage-deflate', ';', 'a;b="'])}`,
      ),
    () => lines.push(`Origin: ${chance.pick(['null', 'http://evil.example', 'x', 'http://127.0.0.1.evil'])}`),
    () => lines.push('Content-Length: 5', 'Transfer-Encoding: chunked'),
    () => lines.push(`Cookie: ${'a=b; '.repeat(chance.below(1_000))}`),
    () => lines.push(...Array.from({ length: chance.below(2_500) }, (_, index) => `X-${index}: y`)),
    () => (lines = lines.map((line) => line.replace(':', chance.pick([' :', '\t', ':\u0000', ''])))),
    () => (lines = [Buffer.from(Array.from({ length: 200 }, () => chance.below(256))).toString('latin1')]),
  ]);
  wrong();
  return Buffer.from(
    lines.join('\r\n') + chance.pick([END_OF_HEAD, END_OF_HEAD, '\r\n', '\n\n', '']),
    'latin1',
  );
}
