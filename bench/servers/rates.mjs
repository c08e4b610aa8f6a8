/** Counted as everywhere, but never reached: the clients of the benches do not stop to wait. */
export const RATES = {
  messagesPerSecond: 1e9,
  messageBurst: 1e9,
  bytesPerSecond: 1e9,
  byteBurst: 1e12,
  subscriptionsPerSecond: 1e9,
};
