import { LOAD_FLAGS, type LoadFlag } from './load-flags.js';

/** The first column of the options. */
const WIDTH = 25;

const INTRODUCTION = `Usage: nestjs-channels load <url> [options]

Opens connections to a gateway, joins channels, sends messages at a steady rate, and tells how long
answers and deliveries took.

Example: nestjs-channels load ws://127.0.0.1:3000/ws --channel 'chat:{room}' --event chat.send

`;

const CLOSING = `
Exit codes: 0 the run was made, 1 nobody could connect or the result was not written, 2 an option
that cannot be used, 130 it was stopped by Ctrl-C (143: by SIGTERM), and has told what there was.
`;

/** What `load --help` says. */
export function loadUsage(): string {
  const flags: Readonly<Record<string, LoadFlag>> = LOAD_FLAGS;
  const lines = Object.entries(flags).map(([name, { value = '', text, ...flag }]) => {
    const standard = flag.default === undefined ? '' : ` (${flag.default})`;
    return `  ${`--${name} ${value}`.padEnd(WIDTH)} ${text}${standard}\n`;
  });
  return INTRODUCTION + lines.join('') + CLOSING;
}
