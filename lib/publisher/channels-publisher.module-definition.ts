import { ConfigurableModuleBuilder } from '@nestjs/common';
import type {
  ChannelsPublisherModuleExtras,
  ChannelsPublisherModuleOptions,
} from './channels-publisher-options.interface.js';

const EXTRAS: ChannelsPublisherModuleExtras = { isGlobal: true };

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<ChannelsPublisherModuleOptions>({ moduleName: 'ChannelsPublisher' })
    .setClassMethodName('forRoot')
    .setExtras(EXTRAS, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
