import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { answers } from '../../src/distill/preflight.ts';
import { openTeacher } from '../../src/distill/open.ts';
import { engineOf } from '../../src/setup/engine.ts';
import { loadFedData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { sessionOptionsOf } from '../../src/runtime/recipe-options.ts';
import { textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';

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
    const { recipe } = makeRecipe(
      {
        name: 'texts',
        dataset: { type: 'jsonl', train: 'train.jsonl', validation: 3, text: { column: ['a', 'b'] } },
        teacher: { onnx: `${name}.onnx`, text: { tokenizer: `${name}.tokenizer.json`, length: 48 } },
      },
      folder,
    );
    const { train } = await loadFedData(recipe, recipe.teacher, false);
    const { teacher } = await openTeacher(recipe.teacher!, {
      ...{ engine: engineOf(recipe), session: sessionOptionsOf(recipe), dataset: train },
      name: (file) => path.basename(file),
    });
    const given = await answers(
      teacher,
      train,
      Int32Array.from({ length: train.count }, (_, i) => i),
    );
    const expected = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as number[][];
    let worst = 0;
    train.ids.forEach((id, row) => {
      expected[id]!.forEach((value, c) => (worst = Math.max(worst, Math.abs(value - given[3 * row + c]!))));
    });
    const spread = Math.max(...expected.flat()) - Math.min(...expected.flat());
    expect([name, spread > 0.1, worst < 1e-4 * Math.max(1, spread)]).toEqual([name, true, true]);
    await teacher.dispose();
  }
});
