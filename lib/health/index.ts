export { ChannelsHealthIndicator, type LivenessOptions } from './channels-health.indicator.js';
