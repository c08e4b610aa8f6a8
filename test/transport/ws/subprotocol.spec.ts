import { describe, expect, it } from 'vitest';
import { readOffer } from '../../../lib/transport/ws/subprotocol.js';

const OURS = 'nestjs-channels.v1.json';

const bearer = (token: string): string =>
  `nestjs-channels.bearer.${Buffer.from(token).toString('base64url')}`;

describe('readOffer', () => {
  it.each([undefined, '', ' ', ' , ,'])('reads nothing from %j', (header) => {
    expect(readOffer(header)).toEqual({ protocols: [], unknownVersion: false });
  });

  it('takes version 1 that stands first for ours', () => {
    expect(readOffer(`${OURS}, graphql-ws`)).toEqual({
      protocols: [OURS, 'graphql-ws'],
      ours: OURS,
      unknownVersion: false,
      token: undefined,
    });
  });

  it.each([
    'nestjs-channels.v9.json',
    'nestjs-channels.v1.msgpack',
    'nestjs-channels.v1',
    'nestjs-channels.v10.json',
  ])('takes %s for ours, of an unknown version', (entry) => {
    expect(readOffer(entry)).toMatchObject({ ours: entry, unknownVersion: true });
  });

  it.each([
    'graphql-ws',
    'nestjs-channels.vNext',
    'nestjs-channels.v',
    'nestjs-channels',
    'xnestjs-channels.v1.json',
  ])('leaves the connection plain when %s stands first', (entry) => {
    const offer = readOffer(`${entry}, ${OURS}`);

    expect(offer).toEqual({ protocols: [entry, OURS], unknownVersion: false });
  });
});

describe('readOffer with a bearer entry', () => {
  it('decodes the token and takes the entry out of the offer', () => {
    expect(readOffer(`${OURS},${bearer('a.b-c')} , other`)).toEqual({
      protocols: [OURS, 'other'],
      ours: OURS,
      unknownVersion: false,
      token: 'a.b-c',
    });
  });

  it('reads the token behind a version that it does not know', () => {
    expect(readOffer(`nestjs-channels.v2.json, ${bearer('t')}`)).toMatchObject({ token: 't' });
  });

  it.each([
    ['a foreign entry', `graphql-ws, ${bearer('t')}, ${OURS}`, ['graphql-ws', OURS]],
    ['no other entry', bearer('t'), []],
  ])('ignores it behind or beside %s, and takes it out all the same', (_what, header, protocols) => {
    const offer = readOffer(header);

    expect(offer).toEqual({ protocols, unknownVersion: false });
  });

  it('ignores one in front of ours, which then stands first', () => {
    const offer = readOffer(`${bearer('t')}, ${OURS}`);

    expect(offer).toEqual({ protocols: [OURS], ours: OURS, unknownVersion: false, token: undefined });
  });

  it.each([
    ['nothing', ''],
    ['padding', 'dG9rZW4='],
    ['the alphabet of plain base64', 'YWI/YWI+'],
    ['a line break in the token', Buffer.from('a\r\nb').toString('base64url')],
    ['a space in the token', Buffer.from('a b').toString('base64url')],
    ['letters beyond ASCII in the token', Buffer.from('tökén').toString('base64url')],
    ['a single character, which is no byte', 'A'],
  ])('finds no token in %s', (_what, encoded) => {
    expect(readOffer(`${OURS}, nestjs-channels.bearer.${encoded}`)).toEqual({
      protocols: [OURS],
      ours: OURS,
      unknownVersion: false,
      token: undefined,
    });
  });

  it('takes the first of two', () => {
    expect(readOffer(`${OURS}, ${bearer('one')}, ${bearer('two')}`)).toMatchObject({
      protocols: [OURS],
      token: 'one',
    });
  });
});
