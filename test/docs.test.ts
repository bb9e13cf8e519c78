import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type * as encode from '../src/data/text/tokenizer/encode.ts';
import { built, ROOT } from './support/built.ts';
import { asProject, blocks } from './support/documents.ts';
import { inV8 } from './support/engines.ts';
import { writeQuestions } from './support/questions.ts';

const run = promisify(execFile);

/** The samples of docs/api.md, one after another in one folder, as a project that has installed the package. */
describe('docs/api.md', () => {
  it('has samples that run', async () => {
    const text = await readFile(path.join(ROOT, 'docs/api.md'), 'utf8');
    const samples = blocks(text, 'js');
    expect(samples.length).toBeGreaterThanOrEqual(5);
    await asProject({ 'datasets/digits': 'digits' }, async (folder) => {
      const printed = [];
      for (const [i, sample] of samples.entries()) {
        const file = path.join(folder, `sample${i}.mjs`);
        await writeFile(file, sample);
        printed.push((await run(process.execPath, [file], { cwd: folder })).stdout);
      }
      expect(printed[0]).toMatch(/^teacher 4810 0\.\d+\nscratch 610 0\.\d+\ndistilled 610 0\.\d+\nINCONCLUSIVE /);
      expect(printed[1]).toMatch(
        / epoch 3\/500 .*\nstopped scratch after step \d+ of \d+; go on with: limbeck resume checkpoints\/long\n$/,
      );
      expect(printed[2]).toBe('[ 2, 10 ]\n');
      expect(printed[3]).toMatch(/^0\.\d+ 144 [01]/);
      expect(printed[4]).toMatch(/^\d+ \d+\nuint8 \[ 1, 64 \] 1\.14\.0\n10\n1\ntrue\n$/);
      expect(printed[5]).toMatch(/^true \d+\n$/);
      expect(printed[6]).toMatch(/^2 true .*batch 1.*\ntrue\n\d\n$/);
      expect(printed[7]).toContain('input   input float32[batch, 64]');
      expect(printed[8]).toBe('[ -1, 64 ] 1\n');
    });
  });
});

describe('docs/compress.md', () => {
  it('has commands that run', async () => {
    const text = await readFile(path.join(ROOT, 'docs/compress.md'), 'utf8');
    const commands = blocks(text, 'sh');
    const folder = await mkdtemp(path.join(tmpdir(), 'limbeck-docs-'));
    const cli = path.join(built(), 'dist/cli.js');
    try {
      for (const name of ['recipes', 'datasets/digits'])
        await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
      const printed = [];
      for (const line of commands.join('').trim().split('\n')) {
        const [program, ...args] = line.split(' ');
        expect(program).toBe('limbeck');
        // Nothing is timed here: it takes long, and tests share their machine.
        const quick = args[0] === 'quantize' ? [] : ['--set', 'report.latency.seconds=0'];
        printed.push((await run(process.execPath, [cli, ...args, ...quick], { cwd: folder })).stdout);
      }
      expect(printed).toHaveLength(3);
      // How far it cuts is decided by what it times, so no cut is named here.
      expect(printed[1]).toMatch(/-int8: \d+\.\d× smaller, .* points of accuracy lost\n/);
      expect(printed[2]).toMatch(/^digits-int8\.onnx: \d+ bytes, from checkpoints\/digits-csv\/teacher\.onnx\n/m);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('docs/samples/texts.md', () => {
  it('has a recipe and commands that run', async () => {
    const text = await readFile(path.join(ROOT, 'docs/samples/texts.md'), 'utf8');
    const recipe = /```yaml\n([^]*?)```/.exec(text)![1]!;
    const commands = /```sh\n([^]*?)```/.exec(text)![1]!;
    const folder = await mkdtemp(path.join(tmpdir(), 'limbeck-docs-'));
    try {
      // In place of data that are not in the repository.
      await writeQuestions(path.join(folder, 'datasets/banking77'));
      const small = ['dataset.limit=200', 'report.latency.seconds=0', 'teacher.train.epochs=20', 'distill.epochs=1'];
      const quick = small.flatMap((one) => ['--set', one]);
      await writeFile(path.join(folder, 'questions.yaml'), recipe);
      const printed = [];
      for (const line of commands.trim().split('\n')) {
        const [, ...args] = line.split(' ');
        const set = args[0] === 'export' ? [] : quick.slice(0, args[0] === 'run' ? undefined : 2);
        printed.push(
          (await run(process.execPath, [path.join(built(), 'dist/cli.js'), ...args, ...set], { cwd: folder })).stdout,
        );
      }
      expect(printed).toHaveLength(3);
      expect(printed[1]).toMatch(/\d+\.\d+ %/);
      expect(printed[2]).toContain('begin with README.md');
      // The compiled modules, which need nothing else.
      const { encoderFor } = (await import(path.join(folder, 'kit/samples/tokenize/encode.js'))) as typeof encode;
      const form = { tokenizer: 'bytes', texts: 1, length: 2, truncate: 'end', vocabulary: 258, padding: 0 } as const;
      expect([...encoderFor(form, undefined)(['a']).ids]).toEqual([98, 0]);
      const script = await readFile(path.join(folder, 'kit/samples/tokenize/tokenizer.js'), 'utf8');
      const calls = [
        ['open', JSON.stringify(form), 'null'],
        ['encode', '["a"]'],
      ] as const;
      expect(inV8(script, calls)[1]).toEqual({ ids: [98, 0], tokens: 1 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
