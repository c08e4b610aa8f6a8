import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/** Who may look at an application, and where. */
export interface ChannelsInspectorOptions {
  /**
   * Where the page is, without parameters. Its socket is below it, at `<path>/ws`, without a global prefix.
   *
   * @default 'inspector'
   */
  readonly path?: string;

  /**
   * Who may look, disconnect and revoke: each of them has to agree, for the page, its script and its style as well as
   * before the upgrade of its socket. They see the context type `http` and the request in both cases, so that one class
   * serves both; a browser sends cookies and passwords of HTTP with both, and nothing else. Without a guard the
   * application does not start, unless `NODE_ENV` is `development`, where it is reached by `localhost` or an address then.
   *
   * @default []
   */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];

  /**
   * Modules that export what the guards inject.
   *
   * @default []
   */
  readonly imports?: ModuleMetadata['imports'];
}
