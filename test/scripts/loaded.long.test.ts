import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { built, ROOT } from '../support/built.ts';

/** Files and lines of src/ that a command line loads, with all its processes and threads. */
function loaded(...args: readonly string[]): { readonly files: number; readonly lines: number } {
  const script = path.join(ROOT, 'scripts/loaded.mjs');
  const text = execFileSync(process.execPath, [script, '--program', built(), ...args], { encoding: 'utf8' });
  const [, files, lines] = /^(\d+) files, (\d+) lines\n$/.exec(text)!;
  return { files: Number(files), lines: Number(lines) };
}

describe('loads no more of src/ than it needs:', () => {
  it('the list of commands', () => {
    expect(loaded('--', '--help').lines).toBeLessThan(3_500);
  });

  it('a run of a table', () => {
    expect(loaded('recipes/digits-csv.yaml').lines).toBeLessThan(48_400);
  });

  it('a run of pictures with a teacher from a file, int8 and TFLite', () => {
    const few = ['dataset.limit=300', 'repeats=1', 'report.latency.seconds=0.1'];
    const settings = few.flatMap((setting) => ['--set', setting]);
    expect(loaded('recipes/fashion-mnist.yaml', ...settings).lines).toBeLessThan(70_800);
  });
});

it('prints the chain of imports that loads a file', () => {
  const args = ['--program', built(), '--why', 'src/commands/terminal/help.ts', '--', '--help'];
  const text = execFileSync(process.execPath, [path.join(ROOT, 'scripts/loaded.mjs'), ...args], { encoding: 'utf8' });
  expect(text).toBe('src/commands/terminal/help.ts\nsrc/commands/program.ts\nsrc/cli.ts\n');
});
