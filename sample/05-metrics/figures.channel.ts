import { defineChannel } from 'nestjs-channels';

/** The last minute of them, for pages that come later, or come back. */
export const figures = defineChannel('figures', { history: { size: 60, ttlMs: 120_000 } });
