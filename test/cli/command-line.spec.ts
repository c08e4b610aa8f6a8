import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../lib/cli/command-line.js';
import { LOAD_FLAGS } from '../../lib/cli/load-flags.js';
import { readManifest, ROOT } from '../support/repository.js';

async function run(...args: readonly string[]) {
  let [out, err] = ['', ''];
  const output = {
    isTerminal: false,
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const code = await runCommandLine(args, output, new AbortController().signal);
  return { code, out, err };
}

describe('the command line', () => {
  it.each([
    [['--help'], /^Usage: nestjs-channels <command>\n\n {2}load <url>/],
    [['load', '--help'], /^Usage: nestjs-channels load <url> \[options\]\n/],
  ])('tells what there is: %j', async (args, text) => {
    expect(await run(...args)).toEqual({ code: 0, out: expect.stringMatching(text), err: '' });
  });

  it('tells the version of the package', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: `${readManifest().version}\n`, err: '' });
  });

  it('lists every option of load with its default', async () => {
    const { out } = await run('load', '--help');

    for (const [name, flag] of Object.entries(LOAD_FLAGS)) {
      const line = out.split('\n').find((text) => text.startsWith(`  --${name} `));
      expect(line).toContain(flag.text);
      expect(line).toContain('default' in flag ? `(${flag.default})` : flag.text);
    }
  });

  it.each([
    [[], 'A command is missing.\n\nUsage: '],
    [['lod'], '"lod" is no command; nestjs-channels --help lists them.\n'],
    [['load'], '0 urls were given; '],
    [
      ['load', 'ws://127.0.0.1:1', '--json', join('no', 'such', 'folder.json')],
      'cannot be written; name a file',
    ],
    // Its folder can be written, and it cannot.
    [['load', 'ws://127.0.0.1:1', '--json', join(ROOT, 'test')], 'cannot be written; name a file'],
  ])('ends with 2 and says what to do for %j', async (args, text) => {
    const { code, out, err } = await run(...args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(text);
  });
});
