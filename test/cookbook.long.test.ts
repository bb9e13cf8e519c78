import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { built, ROOT } from './support/built.ts';
import { asProject, blocks } from './support/documents.ts';

const run = promisify(execFile);
const words = (text: string): number => text.split(/\s+/).filter((word) => /[\p{L}\d]/u.test(word)).length;
const questions = readFileSync(path.join(ROOT, 'docs/cookbook.md'), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map((section) => ({ title: section.slice(0, section.indexOf('\n')), text: section.slice(section.indexOf('\n')) }));

/** What an answer printed, in a folder that has what docs/cookbook.mjs makes and the files that the answer writes. */
async function answer(text: string, cookbook: string): Promise<string> {
  for (const language of ['yaml', 'js'])
    for (const block of blocks(text, language)) {
      const name = /^(?:#|\/\/) (\S+)\n/.exec(block);
      expect(name).not.toBeNull();
      writeFileSync(path.join(cookbook, name![1]!), block);
    }
  const commands = blocks(text, 'sh');
  expect(commands).not.toHaveLength(0);
  const PATH = `${path.join(cookbook, '../bin')}:${process.env['PATH']}`;
  const script = `set -e -o pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\nexec 2>&1\n${commands.join('')}`;
  return (await run('bash', ['-c', script], { cwd: cookbook, env: { ...process.env, PATH } })).stdout;
}

describe('docs/cookbook.md', () => {
  it('answers twenty questions in at most 150 words each, with code within the first 60', () => {
    expect(questions.map(({ title }) => Number.parseInt(title, 10))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    for (const { title, text } of questions) {
      expect([title, words(text) <= 150]).toEqual([title, true]);
      expect([title, words(text.split('```')[0]!) <= 60]).toEqual([title, true]);
    }
  });

  it('has commands that print what the text says', async () => {
    await asProject(
      { 'datasets/digits': 'datasets/digits', 'docs/cookbook.mjs': 'docs/cookbook.mjs' },
      async (folder) => {
        for (const name of ['sharp', 'h5wasm'])
          symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
        await run(process.execPath, ['docs/cookbook.mjs'], { cwd: folder });
        mkdirSync(path.join(folder, 'bin'));
        const cli = path.join(built(), 'dist/cli.js');
        const script = `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`;
        writeFileSync(path.join(folder, 'bin/limbeck'), script, { mode: 0o755 });
        for (const [i, { title, text }] of questions.entries()) {
          const own = path.join(folder, `question${i + 1}`);
          cpSync(path.join(folder, 'cookbook'), own, { recursive: true });
          const printed = await answer(text, own);
          const promised = [...text.matchAll(/prints?\s+`([^`]+)`/g)].map((match) => match[1]!);
          expect([title, promised.length > 0]).toEqual([title, true]);
          for (const one of promised) expect(`${title}\n${printed}`).toContain(one);
        }
      },
    );
  }, 600_000);
});
