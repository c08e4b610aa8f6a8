/**
 * Every import that reaches behind the public entries of Nest, in one place. Each stands for
 * something that no public API gives; `test/nest/nest-internals*.spec.ts` show that the installed
 * Nest still has it, in the shape that is used here. The `.js` paths resolve on Nest 11 and 12.
 */

// What a decorator has put on a class, a method or a parameter.
export {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
export {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  MESSAGE_MAPPING_METADATA,
  MESSAGE_METADATA,
  PORT_METADATA,
} from '@nestjs/websockets/constants.js';

// Enhancers with their injected instances, for a method that no controller of Nest knows.
export { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
export { InterceptorsContextCreator } from '@nestjs/core/interceptors/interceptors-context-creator.js';
export { PipesContextCreator } from '@nestjs/core/pipes/pipes-context-creator.js';
export { ExceptionFiltersContext } from '@nestjs/websockets/context/exception-filters-context.js';

// Running interceptors is Nest's business; guards and pipes are short enough to run without a promise each.
export { InterceptorsConsumer } from '@nestjs/core/interceptors/interceptors-consumer.js';
export { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
export { ContextUtils } from '@nestjs/core/helpers/context-utils.js';

// The numbers under which parameter decorators are stored.
export { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
export { WsParamtype } from '@nestjs/websockets/enums/ws-paramtype.enum.js';

// Request-scoped gateways: an instance for each connection, and the place where Nest keeps its context.
export { Injector } from '@nestjs/core/injector/injector.js';
export { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
