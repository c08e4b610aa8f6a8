export {
  ChannelsTestApp,
  createChannelsTestApp,
  type ChannelsTestAppOptions,
} from './create-channels-test-app.js';
export { FaultProxy, type FaultDirection, type FaultProxyOptions } from './fault-proxy.js';
export {
  ConnectionClosed,
  HandshakeRefused,
  TestClient,
  type TestClientOptions,
  type TestClose,
} from './test-client.js';
export { TestClock } from './test-clock.js';
