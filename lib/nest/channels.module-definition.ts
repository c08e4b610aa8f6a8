import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ChannelsModuleExtras, ChannelsModuleOptions } from './channels-options.interface.js';

/** Whether the adapter installs itself. Asked when the module is constructed. */
export const AUTO_INSTALL = Symbol.for('nestjs-channels:auto-install');

const EXTRAS: ChannelsModuleExtras = { isGlobal: true, autoInstall: 'unless-socket.io' };

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<ChannelsModuleOptions>({ moduleName: 'Channels' })
    .setClassMethodName('forRoot')
    .setExtras(EXTRAS, (definition, { isGlobal, autoInstall }) => ({
      ...definition,
      global: isGlobal,
      providers: [...(definition.providers ?? []), { provide: AUTO_INSTALL, useValue: autoInstall }],
    }))
    .build();
