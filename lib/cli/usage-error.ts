/** What was typed cannot be carried out; the message says what, what was given, and what to do. Ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
