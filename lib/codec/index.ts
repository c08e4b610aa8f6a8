export { DecodeError, type Codec } from './codec.interface.js';
export { JsonCodec } from './json.codec.js';
export { exceedsNesting } from './nesting.js';
