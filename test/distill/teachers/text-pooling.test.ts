import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { asTeacherSees } from '../../../src/data/dataset.ts';
import { plainLogits } from '../../../src/distill/preflight/preflight.ts';
import { openTeacher } from '../../../src/distill/teachers/open.ts';
import { sessionOptionsOf } from '../../../src/runtime/recipe-options.ts';
import { loadDataToTeach } from '../../../src/setup/data.ts';
import { engineOf } from '../../../src/setup/engine.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { textTeacher } from '../../support/text-teacher.ts';
import { wordPieces } from '../../support/tokenizer.ts';

const folder = temporaryFolder();
const WORDS = ['red', 'green', 'blue', 'old', 'new'];

/** Vectors of 40 texts of one to six words by an encoder, from an output of its file. */
async function vectorsOf(teacher: object): Promise<Float32Array> {
  const lines = Array.from({ length: 60 }, (_, i) =>
    JSON.stringify({
      text: Array.from({ length: 1 + (i % 6) }, (_w, w) => WORDS[(i * 7 + w * w) % 5]).join(' '),
      label: String(i % 2),
    }),
  );
  await writeFile(path.join(folder(), 'train.jsonl'), lines.join('\n'));
  await writeFile(path.join(folder(), 'tokenizer.json'), JSON.stringify(wordPieces(WORDS)));
  await writeFile(
    path.join(folder(), 'e.onnx'),
    textTeacher(64, (id) => [Math.sin(id), Math.cos(2 * id)]),
  );
  const { recipe } = makeRecipe(
    {
      name: 'texts',
      dataset: {
        ...{ type: 'jsonl', task: 'embedding', train: 'train.jsonl', validation: 40, label: 'label', dimensions: 2 },
        text: { column: 'text', tokenizer: 'tokenizer.json', length: 24 },
      },
      teacher: { onnx: 'e.onnx', ...teacher },
      student: { model: 'embedding-bag', size: 4 },
    },
    folder(),
  );
  const { validation } = await loadDataToTeach(recipe);
  const options = { engine: await engineOf(recipe), session: sessionOptionsOf(recipe), name: (file: string) => file };
  const opened = await openTeacher(recipe.teacher!, { ...options, dataset: asTeacherSees(validation) });
  const rows = Int32Array.from({ length: validation.count }, (_, i) => i);
  return plainLogits(opened.teacher, validation, rows).finally(() => opened.teacher.dispose());
}

it('is the mean over the tokens of a text, not over its padding', async () => {
  const whole = await vectorsOf({ output: 'logits' });
  const tokens = await vectorsOf({ output: 'added' });
  expect(tokens).toHaveLength(whole.length);
  tokens.forEach((value, i) => expect(value).toBeCloseTo(whole[i]!, 5));
  const first = await vectorsOf({ output: 'added', pooling: 'cls' });
  // The first token is the same for all texts.
  first.forEach((value, i) => expect(value).toBeCloseTo(first[i % 2]!, 6));
});
