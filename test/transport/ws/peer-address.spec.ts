import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressKey, readAddress, readAddressKey } from '../../../lib/transport/ws/peer-address.js';

/** A request that a socket from `192.0.2.1` has brought. */
function incoming(forwarded?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: '::ffff:192.0.2.1' });
  const message = new IncomingMessage(socket);
  if (forwarded !== undefined) message.headers['x-forwarded-for'] = forwarded;
  return message;
}

describe('readAddress', () => {
  it.each([
    ['198.51.100.7, 203.0.113.9', 1, '203.0.113.9'],
    ['198.51.100.7, 203.0.113.9', 2, '198.51.100.7'],
    ['forged, 198.51.100.7,203.0.113.9', 2, '198.51.100.7'],
    // Past one of the proxies: the farthest that was told.
    ['203.0.113.9', 2, '203.0.113.9'],
    ['203.0.113.9', 0, '::ffff:192.0.2.1'],
    ['', 1, '::ffff:192.0.2.1'],
    ['203.0.113.9, ', 1, '::ffff:192.0.2.1'],
    [undefined, 1, '::ffff:192.0.2.1'],
  ])('of %j behind %i proxies is %j', (forwarded, hops, address) => {
    expect(readAddress(incoming(forwarded), hops)).toBe(address);
  });
});

describe('readAddressKey', () => {
  it.each([
    ['203.0.113.9', 0, '192.0.2.1'],
    ['203.0.113.9', 1, '203.0.113.9'],
    // Else the cap of the proxy would be everybody's.
    [undefined, 1, undefined],
    ['unknown', 1, undefined],
  ])('of %j behind %i proxies is %j', (forwarded, hops, key) => {
    expect(readAddressKey(incoming(forwarded), hops)).toBe(key);
  });
});

describe('addressKey', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:cb00:7109', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('takes %s for %s', (text, key) => {
    expect(addressKey(text)).toBe(key);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    'example.com',
    '203.0.113',
    '203.0.113.9.1',
    '1.2.3.4, 5.6.7.8',
    '[x]:1',
    '12::34::',
  ])('takes %j for none', (text) => {
    expect(addressKey(text)).toBeUndefined();
  });
});
