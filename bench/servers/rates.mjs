/** Nobody counts: no rival has rates, and the clients of the benches do not stop to wait. */
export const RATES = { messagesPerSecond: 0, bytesPerSecond: 0, subscriptionsPerSecond: 0 };
