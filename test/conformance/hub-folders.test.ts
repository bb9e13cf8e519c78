import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Dataset } from '../../src/data/dataset.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { runPython } from './python.ts';
import { teacherAnswers } from './teacher-answers.ts';

interface Made {
  readonly id: string;
  readonly kind: keyof typeof DATASETS;
  /** Answers in the order of the folder, a row for each sample; null for a folder that is refused. */
  readonly answers: readonly (readonly number[])[] | null;
}

const folder = mkdtempSync(path.join(tmpdir(), 'hub-folders-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Classes as the configurations have them; the data have them in another order. */
const NAMES = ['owl', 'cat', 'fox'];
const texts = { type: 'jsonl', train: 'texts.jsonl', validation: 3, text: { column: 'text' } };
const DATASETS = {
  pictures: { type: 'image-folder', train: 'pictures', validation: 3, resize: [16, 16], channels: 3 },
  classes: { ...texts, label: 'kind' },
  labels: { ...texts, label: 'kinds', task: 'multi-label' },
  number: { ...texts, label: 'value', task: 'regression' },
  tags: { ...texts, train: 'words.jsonl', text: { column: 'tokens' }, label: 'tags', task: 'tagging' },
  shards: { type: 'parquet', train: 'texts', validation: 3, text: { column: 'text' }, label: 'label' },
  vector: { ...texts, label: 'kind', task: 'embedding', dimensions: 32 },
} as const;

const REFUSED: Readonly<Record<string, RegExp>> = {
  safetensors: /expected an ONNX file, received model\.safetensors/,
  swapped: /swaps red and blue \(do_flip_channel_order\)/,
};
/** Pixels of other sizes differ by the rounding between Pillow's two passes, which the logits of these nets multiply. */
const [OF_PICTURES, OF_TEXTS] = [0.02, 1e-5];

/** Largest difference of the scores of words, at their first tokens, as a share of their range. */
function tagsApart({ count, targets, ids }: Dataset, given: Float32Array, answers: Made['answers'] & object): number {
  const tokens = targets.length / count;
  const classes = given.length / targets.length;
  let [worst, low, high] = [0, Infinity, -Infinity];
  for (let row = 0; row < count; row++) {
    const starts = Array.from({ length: tokens }, (_, at) => at).filter((at) => targets[row * tokens + at]! >= 0);
    const own = answers[ids[row]!]!;
    expect(own.length).toBe(starts.length * classes);
    own.forEach((value, i) => {
      const at = (row * tokens + starts[Math.floor(i / classes)]!) * classes + (i % classes);
      worst = Math.max(worst, Math.abs(value - given[at]!));
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    });
  }
  return worst / (high - low);
}

it('folders of the hub answer as their processors, tokenizers and models do, or are refused by name', async () => {
  const lines: string[] = [];
  const all = runPython('hub_folders.py', folder) as Made[];
  for (const { id, kind, answers } of all) {
    const written = { name: 'hub', dataset: DATASETS[kind], teacher: { folder: id }, student: { model: 'mlp' } };
    if (answers === null) {
      expect(() => makeRecipe(written, folder)).toThrow(REFUSED[id]);
      lines.push(`${id}: refused`);
      continue;
    }
    const { train, given } = await teacherAnswers(written, folder);
    if (kind === 'tags') {
      const apart = tagsApart(train, given, answers);
      lines.push(`${apart < OF_TEXTS ? 'ok   ' : 'WRONG'} ${id}: ${train.count} samples, ${apart.toExponential(1)} of the range apart`); // prettier-ignore
      continue;
    }
    const width = given.length / train.count;
    const isOfClasses = kind !== 'number' && kind !== 'vector';
    let [worst, low, high] = [0, Infinity, -Infinity];
    for (let row = 0; row < train.count; row++)
      for (let i = 0; i < width; i++) {
        const place = isOfClasses ? NAMES.indexOf(train.classNames[i]!) : i;
        const value = answers[train.ids[row]!]![place]!;
        worst = Math.max(worst, Math.abs(value - given[row * width + i]!));
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    const apart = worst / (high - low);
    lines.push(`${apart < (kind === 'pictures' ? OF_PICTURES : OF_TEXTS) ? 'ok   ' : 'WRONG'} ${id}${kind === 'shards' ? ' on Parquet shards' : ''}: ${train.count} samples, ${apart.toExponential(1)} of the range apart`); // prettier-ignore
  }
  console.log(lines.join('\n'));
  expect(all.length).toBeGreaterThanOrEqual(14);
  expect(lines.filter((line) => line.startsWith('WRONG'))).toEqual([]);
});
