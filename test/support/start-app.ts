import {
  createChannelsTestApp,
  type ChannelsTestApp,
  type ChannelsTestAppOptions,
} from 'nestjs-channels/testing';
import { onTestFinished } from 'vitest';

/** An application that ends with the test. Logs nothing: what fails on purpose would bury what fails. */
export async function startApp(options: ChannelsTestAppOptions): Promise<ChannelsTestApp> {
  const app = await createChannelsTestApp({
    ...options,
    configure: (nest) => {
      nest.useLogger(false);
      return options.configure?.(nest);
    },
  });
  onTestFinished(() => app.close());
  return app;
}
