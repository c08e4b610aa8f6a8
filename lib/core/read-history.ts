import type { Broker, HistoryPage, HistoryQuery, HistoryRule, Position } from './broker.interface.js';

/** Reads what is behind `since`, or, where `since` is of another life of the history, all of this one. */
export async function readHistory(
  broker: Broker,
  channel: string,
  rule: HistoryRule,
  query: Omit<HistoryQuery, 'after'>,
  since: Position | undefined,
): Promise<HistoryPage> {
  if (!since) return broker.history(channel, rule, query);
  const page = await broker.history(channel, rule, { ...query, after: since.offset });
  return page.position.epoch === since.epoch ? page : broker.history(channel, rule, query);
}
