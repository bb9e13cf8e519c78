import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';
import { areNear, teacherAnswers } from './teacher-answers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'text-teachers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('exports of BERT, DistilBERT, RoBERTa and MiniLM answer to pairs of raw texts as PyTorch does', async () => {
  const texts = textsOfMany(400, false);
  const pairs = Array.from({ length: 200 }, (_, i) => [texts[2 * i]!, texts[2 * i + 1]!]);
  writeFileSync(path.join(folder, 'texts.json'), JSON.stringify(pairs));
  const rows = pairs.map(([a, b], i) => JSON.stringify({ a, b, label: i % 3 }));
  writeFileSync(path.join(folder, 'train.jsonl'), rows.join('\n'));
  const names = runPython('text_teachers.py', folder) as string[];
  expect(names).toEqual(['bert', 'distilbert', 'roberta', 'minilm']);
  for (const name of names) {
    const recipe = {
      name: 'texts',
      dataset: { type: 'jsonl', train: 'train.jsonl', validation: 3, text: { column: ['a', 'b'] } },
      teacher: { onnx: `${name}.onnx`, text: { tokenizer: `${name}.tokenizer.json`, length: 48 } },
    };
    const { train, given } = await teacherAnswers(recipe, folder);
    const expected = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as number[][];
    const pairs = Array.from(train.ids).flatMap((id, row) =>
      expected[id]!.map((value, c) => [value, given[3 * row + c]!] as const),
    );
    expect([name, pairs.length, areNear(pairs)]).toEqual([name, 3 * train.count, true]);
  }
});
