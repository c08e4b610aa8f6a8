import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/** Groups of 16 bits of an IPv6 address: all, and those that name a network of one subscriber. */
const GROUPS = 8;
const SUBSCRIBER_GROUPS = 4;

/** `0:0:0:0:0:ffff`, behind which an IPv4 address stands (RFC 4291, section 2.5.5.2). */
const MAPPED = '0:0:0:0:0:ffff';

/**
 * The peer's address. Behind trusted proxies it is what the outermost of them has seen: each appends the address
 * of who asked it, so that with `hops` of them it is entry `hops` from the right. What stands left of it anybody
 * may have written.
 *
 * @param hops - the proxies in front; 0 believes no header
 */
export function readAddress(request: IncomingMessage, hops: number): string {
  return readForwarded(request, 'x-forwarded-for', hops) ?? request.socket.remoteAddress ?? '';
}

/** What an address counts as. `undefined` where it is not known, such as behind a proxy that does not tell it. */
export function readAddressKey(request: IncomingMessage, hops: number): string | undefined {
  const { remoteAddress } = request.socket;
  // Without the header this is the proxy, which is nobody: its cap would shut everybody out.
  const address = hops > 0 ? readForwarded(request, 'x-forwarded-for', hops) : remoteAddress;
  return address === undefined ? undefined : addressKey(address);
}

/** The entry of a header that the outermost trusted proxy has written; `undefined` where there is none. */
export function readForwarded(request: IncomingMessage, name: string, hops: number): string | undefined {
  if (hops === 0) return undefined;
  const entries = [request.headers[name] ?? []].flat().join(',').split(',');
  // Where there are fewer, the first one is the farthest that was told.
  return (entries.at(-hops) ?? entries[0])?.trim() || undefined;
}

/** An IPv4 address as it is, also where it is mapped into IPv6; of any other IPv6 address the first 64 bits. */
export function addressKey(text: string): string | undefined {
  const address = withoutPort(text);
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  if (groups.slice(0, -2).join(':') === MAPPED) return toIPv4(groups.slice(-2));
  return `${groups.slice(0, SUBSCRIBER_GROUPS).join(':')}::/64`;
}

/** Some proxies append the port, `203.0.113.9:4711` and `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1];
  return bracketed ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}

/** In lower case and without leading zeros, so that each address has one text. */
function groupsOf(address: string): string[] {
  const [bare = ''] = address.split('%', 1);
  // URL writes a dotted tail as two groups.
  const canonical = new URL(`ws://[${bare}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after];
}

function toIPv4(groups: readonly string[]): string {
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((bits) => [bits >> 8, bits & 0xff])
    .join('.');
}
