import 'reflect-metadata';
import { Logger } from '@nestjs/common';

// Vitest fails a run on an unhandled rejection or an uncaught exception. Nothing here may listen for
// them: a listener could make the failure look handled.

// Nest's start-up lines would bury a failure. A test of log lines passes a logger of its own.
if (process.env.DEBUG_NEST !== '1') Logger.overrideLogger(false);
