export { ChannelsThrottlerGuard } from './channels-throttler.guard.js';
