import { setTimeout } from 'node:timers/promises';

const PAUSE_MS = 25;

/**
 * Asks until the answer is neither empty nor an error, and returns it: servers tell nobody when they have found each
 * other.
 *
 * @param what - ends the sentence "In 15 s it did not happen that …"
 */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false>,
  timeoutMs = 15_000,
): Promise<Answer> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const { answer, cause } = await attempt(ask);
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endsAt)
      throw new Error(`In ${timeoutMs / 1_000} s it did not happen that ${what}.`, { cause });
    await setTimeout(PAUSE_MS);
  }
}

async function attempt<Answer>(ask: () => Promise<Answer>): Promise<{ answer?: Answer; cause?: unknown }> {
  try {
    return { answer: await ask() };
  } catch (cause) {
    return { cause };
  }
}
