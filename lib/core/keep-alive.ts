/** Text that other libraries send to keep a connection alive: a sign of life and nothing else. */
export function isKeepAlive(message: unknown): boolean {
  if (message === 'ping') return true;
  if (typeof message !== 'object' || message === null || 'event' in message) return false;
  return 'type' in message && message.type === 'ping';
}
