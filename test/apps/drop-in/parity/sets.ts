import type { AppSet } from '../sets.js';
import { Audit, CLS_GATEWAYS, CLS_MODULE } from './cls.gateways.js';
import { ContextsGateway } from './contexts.gateway.js';
import { EnhancersGateway } from './enhancers.gateway.js';
import { ExceptionsGateway } from './exceptions.gateway.js';
import { FiltersGateway } from './filters.gateway.js';
import { GLOBALS, GlobalsGateway, MOUNTED_CLS } from './globals.gateway.js';
import { ClientsGateway, EndsGateway, LifecycleGateway } from './lifecycle.gateway.js';
import { MessagesGateway, NamesGateway } from './messages.gateway.js';
import { LateListeners, serveGraphql } from './other-upgrades.js';
import { ParserGateway, parseLine } from './parser.gateway.js';
import { PLACES } from './places.gateways.js';
import { ResultsGateway } from './results.gateway.js';
import { ScopedGateway, Visit, VisitGuard } from './scoped.gateway.js';
import { SERVER_OPTIONS } from './server-options.gateways.js';

/** The applications in which a client must not see on which adapter they run. */
export const PARITY_SETS: Readonly<Record<string, AppSet>> = {
  parity: {
    imports: [CLS_MODULE],
    providers: [
      ResultsGateway,
      MessagesGateway,
      NamesGateway,
      ExceptionsGateway,
      FiltersGateway,
      EnhancersGateway,
      ContextsGateway,
      LifecycleGateway,
      EndsGateway,
      ClientsGateway,
      ScopedGateway,
      Visit,
      VisitGuard,
      Audit,
      ...CLS_GATEWAYS,
      ...PLACES,
      ...SERVER_OPTIONS,
    ],
  },
  'parity, whole application': {
    imports: [MOUNTED_CLS],
    providers: [...GLOBALS, GlobalsGateway, ParserGateway, LateListeners],
    channels: { messageParser: parseLine },
    configure: serveGraphql,
  },
};
