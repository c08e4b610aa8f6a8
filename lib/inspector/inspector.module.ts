import { Inject, Logger, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import type { ChannelsInspectorOptions } from './inspector-options.interface.js';
import { inspectorController } from './inspector.controller.js';
import { inspectorGateway } from './inspector.gateway.js';
import { Inspector } from './inspector.js';
import { LOCAL_HOST_GUARD } from './local-host.guard.js';

const DEFAULT_PATH = 'inspector';

/** Segments, none of them `.` or `..`: a browser resolves those before it asks. */
const PATH = /^\/?(?!\.{1,2}(?:\/|$))[\w.~-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*\/?$/;

/** Where a page has its socket, and whether it is open to anybody. */
interface Place {
  readonly page: string;
  readonly socket: string;
  readonly isOpen: boolean;
}

const PLACE = Symbol.for('nestjs-channels:inspector-place');

/**
 * A page that shows all nodes, their channels, connections and rates live, and disconnects or revokes. Whoever may see
 * it may do that: name a guard. docs/inspector.md has one.
 *
 * @example
 * ```ts
 * ChannelsInspectorModule.forRoot({ path: 'inspector', guards: [OperatorGuard] })
 * ```
 * @publicApi
 */
@Module({})
export class ChannelsInspectorModule implements OnModuleInit {
  /**
   * Imported once, beside `ChannelsModule`.
   *
   * @throws TypeError without a guard, unless `NODE_ENV` is `development`, and for a path that is none
   */
  static forRoot(options: ChannelsInspectorOptions = {}): DynamicModule {
    const { imports = [] } = options;
    const place = placeOf(options);
    const guards = place.isOpen ? [LOCAL_HOST_GUARD] : (options.guards ?? []);
    return {
      module: ChannelsInspectorModule,
      imports,
      controllers: [inspectorController(place.page, place.socket, guards)],
      providers: [Inspector, inspectorGateway(place.socket, guards), { provide: PLACE, useValue: place }],
    };
  }

  /** @internal */
  constructor(@Inject(PLACE) private readonly place: Place) {}

  /** Says it where anybody may look. */
  onModuleInit(): void {
    if (!this.place.isOpen) return;
    new Logger('Channels').warn(
      `inspector: anybody may look and disconnect at /${this.place.page}, since NODE_ENV is development`,
    );
  }
}

function placeOf({ path = DEFAULT_PATH, guards = [] }: ChannelsInspectorOptions): Place {
  if (!PATH.test(path)) {
    throw new TypeError(
      `path (${JSON.stringify(path)}) must be segments of [A-Za-z0-9_.~-] other than . and .., such as 'ops/inspector'.`,
    );
  }
  const isOpen = guards.length === 0;
  if (isOpen && process.env['NODE_ENV'] !== 'development') {
    throw new TypeError(
      'guards ([]) must name who may look at the inspector, and disconnect: guards: [OperatorGuard]. ' +
        'With NODE_ENV=development it starts without one.',
    );
  }
  const page = path.replace(/^\/|\/$/g, '');
  return { page, socket: `/${page}/ws`, isOpen };
}
