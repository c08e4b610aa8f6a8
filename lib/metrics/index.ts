export { ChannelsMetrics, type ChannelsMetricsOptions } from './channels-metrics.js';
