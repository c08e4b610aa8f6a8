import { defineChannel } from 'nestjs-channels/publisher';

/** Both applications import it: who publishes and who delivers mean the same. */
export const lots = defineChannel('lots:{lot}', { history: true });
