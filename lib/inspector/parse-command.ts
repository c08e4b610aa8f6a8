import { ChannelsError } from '../core/errors.js';
import type { ConnectionQuery } from './figures.js';

/** @throws ChannelsError `bad_request` */
export function parseConnectionId(body: unknown): string {
  return required(body, 'connectionId');
}

/**
 * Anonymous connections share the empty principal, and none of them is meant.
 *
 * @throws ChannelsError `bad_request`
 */
export function parsePrincipal(body: unknown): string {
  return required(body, 'principal');
}

/** @throws ChannelsError `bad_request` */
export function parseQuery(body: unknown): ConnectionQuery {
  const { principal, channel } = members(body);
  return { ...optional('principal', principal), ...optional('channel', channel) };
}

function required(body: unknown, name: string): string {
  const value = members(body)[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new ChannelsError('bad_request', `${name} must be a text of at least one character`);
}

function optional(name: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value === 'string') return { [name]: value };
  throw new ChannelsError('bad_request', `${name} must be a text`);
}

function members(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null) return body as Readonly<Record<string, unknown>>;
  throw new ChannelsError('bad_request', 'the data must be an object');
}
