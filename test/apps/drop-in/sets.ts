import type { ModuleMetadata } from '@nestjs/common';
import { AnswersGateway } from './answers.gateway.js';

/** What an application of `main.ts` may consist of. */
export const SETS: Readonly<Record<string, ModuleMetadata>> = {
  parity: { providers: [AnswersGateway] },
};
