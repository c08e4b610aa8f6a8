import { MODULE_OPTIONS_TOKEN } from './channels.module-definition.js';

/** The options that `ChannelsModule.forRoot()` was given. */
export const CHANNELS_OPTIONS = MODULE_OPTIONS_TOKEN;

/** The engine's clock; a test may override it with a `TestClock`. */
export const CHANNELS_CLOCK = Symbol.for('nestjs-channels:clock');

/** The engine's source of chance. */
export const CHANNELS_RANDOM = Symbol.for('nestjs-channels:random');

/** The broker in use. */
export const CHANNELS_BROKER = Symbol.for('nestjs-channels:broker');
