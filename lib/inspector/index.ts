export { ChannelsInspectorModule } from './inspector.module.js';
export type { ChannelsInspectorOptions } from './inspector-options.interface.js';
