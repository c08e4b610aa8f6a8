import { OptionDefaults } from 'typedoc';

/** Types by which the client finds its way through the contract of an application. Nobody writes them down. */
const HELPERS_OF_THE_CLIENT = [
  'ChannelOf',
  'ChannelParams',
  'ErrorExtras',
  'EventData',
  'Joined',
  'MessageAnswer',
  'MessageArguments',
  'PublicationData',
  'PublicationName',
  'RequestAnswer',
  'RequestData',
  'StateOf',
];

/** `npm run docs:api`: the reference of every entry of the package. A warning fails it. */
export default {
  name: 'nestjs-channels',
  tsconfig: 'tsconfig.build.json',
  entryPoints: [
    'lib/index.ts',
    'lib/client/index.ts',
    'lib/client/storage/index.ts',
    'lib/health/index.ts',
    'lib/inspector/index.ts',
    'lib/metrics/index.ts',
    'lib/protocol/index.ts',
    'lib/publisher/index.ts',
    'lib/redis/index.ts',
    'lib/testing/index.ts',
    'lib/throttler/index.ts',
  ],
  out: 'docs-api',
  readme: 'none',
  includeVersion: true,
  githubPages: false,
  // Links to sources need to know where the repository is hosted.
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  modifierTags: [...OptionDefaults.modifierTags, '@publicApi'],
  excludeTags: [...OptionDefaults.excludeTags, '@publicApi'],

  // `npm run types` checks the types.
  skipErrorChecking: true,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: true },
  // A property such as `code` or `reason` says by its name what it is; options are checked by a test.
  requiredToBeDocumented: OptionDefaults.requiredToBeDocumented.filter((kind) => kind !== 'Property'),
  intentionallyNotDocumented: [
    // Their getters are.
    'testing.FaultProxy.latencyMs',
    'testing.FaultProxy.jitterMs',
    'testing.FaultProxy.bytesPerSecond',
    // Made by Nest's ConfigurableModuleBuilder.
    'index.ChannelsModule.forRootAsync',
    'publisher.ChannelsPublisherModule.forRootAsync',
    'client.UntypedApi.messages.__type.__index',
    'client.UntypedApi.requests.__type.__index',
  ],
  // `Clock` and `Random` are ports of the engine, of which tests use TestClock and a seeded `next`.
  intentionallyNotExported: [...HELPERS_OF_THE_CLIENT, 'Clock', 'Random'],
};
