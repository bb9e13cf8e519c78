import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seenForm } from '../../src/data/seen-form.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

async function seen(type: 'jsonl' | 'conll', content: string, label: readonly string[] = [], isOtherTask = false) {
  const file = path.join(folder(), `d.${type}`);
  await writeFile(file, content);
  return seenForm(type, file, { label, isOtherTask });
}

describe('words with a tag each', () => {
  const lines = Array.from({ length: 30 }, (_, i) =>
    JSON.stringify({
      tokens: [`a${i}`, 'b'],
      pos: ['X', 'Y'],
      ner: ['O', i % 3 === 0 ? 'B-PER' : 'B-LOC'],
      mood: i % 2,
    }),
  ).join('\n');

  it('have the tags of which there are fewest, or those that are named', async () => {
    expect((await seen('jsonl', lines)).words).toMatchObject({ column: 'tokens', tags: 'pos' });
    expect((await seen('jsonl', lines, ['ner'])).words).toMatchObject({ column: 'tokens', tags: 'ner' });
  });

  it('are not seen where another label or task is named', async () => {
    expect((await seen('jsonl', lines, ['mood'])).words).toBeUndefined();
    expect((await seen('jsonl', lines, [], true)).words).toBeUndefined();
  });

  it('have their columns in lines of words, and the tags in the one that is named', async () => {
    expect((await seen('conll', 'Ada NNP B-PER\n')).words).toEqual({
      column: 0,
      why: 'it has a word on each line, and its tag in the last column',
    });
    expect((await seen('conll', 'Ada NNP B-PER\n', ['1'])).words).toEqual({
      ...{ column: 0, tags: 1 },
      why: 'it has a word on each line, and its tag in column 1',
    });
    const universal = `# sent_id = 1\n1\tAda\t_\tPROPN\t_\t_\t0\t_\t_\t_\n`;
    expect((await seen('conll', universal)).words).toMatchObject({ column: 1, tags: 3 });
    expect((await seen('conll', universal, ['4'])).words).toMatchObject({ column: 1, tags: 4 });
    await expect(seen('conll', universal, ['upos'])).rejects.toThrow(
      '--label: expected the number of a column, from 0, received upos',
    );
  });
});
