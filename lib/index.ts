export {
  defineChannel,
  type ChannelDefinition,
  type ChannelHistoryOptions,
  type ChannelOptions,
  type ChannelParams,
  type Overflow,
  type ResolvedChannelOptions,
} from './core/channel-definition.js';
export { ChannelSocket, type RequestOptions } from './core/channel-socket.js';
export { ChannelsError, type ChannelsErrorOptions } from './core/errors.js';
export type {
  Broker,
  BrokerNode,
  BrokerState,
  HistoryPage,
  HistoryQuery,
  HistoryRule,
  Position,
  Publication,
  PublicationSink,
  PublishRule,
} from './core/broker.interface.js';
export type {
  ChannelRegistry,
  RegisteredChannel,
  RegisteredChannels,
  RegistryHost,
} from './core/channel-registry.interface.js';
export type { ClaimFilter, ConnectionFilter, ConnectionSummary } from './core/connection-filter.js';
export type { Claim, DedupKey, DedupRules, DedupStore, StoredAnswer } from './core/dedup-store.interface.js';
export type {
  AckOutcome,
  DrainReport,
  Failure,
  FaultKind,
  JoinOutcome,
  ObservedConnection,
  ObservedDrain,
  ObservedNode,
  Observer,
  Refusal,
  RefusalReason,
  Traffic,
} from './core/observer.interface.js';
export type { NodeHealth, NodeState } from './core/node-health.interface.js';
export type { NodeAnswer, Nodes, NodesAnswered, NodesHost, NodesReply } from './core/nodes.interface.js';
export type { AdmissionOptions } from './core/admission-options.js';
export type { DrainOptions } from './core/drain-options.js';
export type { EngineOptions } from './core/options.js';
export type {
  PresenceChange,
  PresenceCount,
  PresenceMember,
  PresenceMembers,
  PresenceRules,
  PresenceStore,
} from './core/presence-store.interface.js';
export type { Identity } from './core/identity.js';
export type {
  Revocation,
  RevocationHost,
  RevocationStore,
  RevocationTarget,
} from './core/revocation-store.interface.js';
export type { RateOptions } from './core/rate-options.js';
export type { RateKey, RateRule, RateStore } from './core/rate-store.interface.js';
export type { HandshakeRequest } from './transport/ws/handshake-request.js';
export { ChannelsAdapter } from './nest/channels.adapter.js';
export { ChannelsModule } from './nest/channels.module.js';
export type {
  ChannelsModuleExtras,
  ChannelsModuleOptions,
  MessageParser,
  Session,
} from './nest/channels-options.interface.js';
export {
  ChannelsService,
  type ChannelHistoryPage,
  type DisconnectOptions,
  type DrainCallOptions,
  type HistoryItem,
  type HistoryOptions,
  type ListOptions,
  type PublishOptions,
  type RevokeOptions,
} from './nest/channels.service.js';
export { Acked, type AckedOptions } from './nest/decorators/acked.decorator.js';
export { ChannelName, ChannelParam, MessageId } from './nest/decorators/message-params.decorator.js';
export { OnHandshake } from './nest/decorators/on-handshake.decorator.js';
export { RateLimit, type RateLimitOptions } from './nest/decorators/rate-limit.decorator.js';
export { SubscribeChannel } from './nest/decorators/subscribe-channel.decorator.js';
export { UnsubscribeChannel } from './nest/decorators/unsubscribe-channel.decorator.js';
export { UseHandshakeGuards } from './nest/decorators/use-handshake-guards.decorator.js';
export type { LogFact, LogOptions } from './nest/log-options.js';
export { OriginGuard } from './nest/guards/origin.guard.js';
export { TokenHandshakeGuard } from './nest/guards/token-handshake.guard.js';
