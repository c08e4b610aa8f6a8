/** Stock Nest wraps a reply as `{ event, data }`; in an ack the data stands alone. */
export function answerData(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const reply = value as { readonly event?: unknown; readonly data?: unknown };
  if (typeof reply.event !== 'string' || !('data' in reply)) return value;
  // A record of the application that happens to have both keys among others is no such reply.
  for (const key in reply) if (key !== 'event' && key !== 'data') return value;
  return reply.data;
}
