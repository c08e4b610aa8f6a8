#!/usr/bin/env node
import { performance } from 'node:perf_hooks';
import { runCommandLine } from './command-line.js';
import { abortOnSignals } from './interruption.js';

const { argv, stderr, stdout } = process;

process.exitCode = await runCommandLine(
  argv.slice(2),
  {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    isTerminal: stderr.isTTY,
  },
  abortOnSignals(process, () => performance.now()),
);
