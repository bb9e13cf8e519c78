import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { argMax } from '../../src/base/numbers.ts';
import { RandomStream } from '../../src/base/random.ts';
import { sampleId } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { resizedLogits } from '../../src/answers/mask/masks.ts';
import { writePipelineFolder } from '../../src/consumers/transformers/folder.ts';
import { QUICK } from '../support/digits.ts';
import { writeQuestions } from '../support/questions.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { inPipelines, inPipelinesOfChromium } from './pipelines.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pipelines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Coloured pictures of 20x24 and 24x24, whose classes are directions of a ramp, with noise. */
async function pictures(place: string, count: number, key: string): Promise<void> {
  const random = new RandomStream('pictures', key);
  for (const [k, name] of ['across', 'down', 'round'].entries()) {
    await mkdir(path.join(place, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const [height, width] = [i % 2 === 0 ? 24 : 20, 24];
      const tint = [random.uniform(), random.uniform(), random.uniform()];
      const pixels = Uint8Array.from({ length: height * width * 3 }, (_, p) => {
        const [y, x] = [Math.floor(p / 3 / width) / height, (Math.floor(p / 3) % width) / width];
        const ramp = [x, y, Math.hypot(x - 0.5, y - 0.5)][k]!;
        return Math.round(150 * ramp * tint[p % 3]! + 100 * random.uniform());
      });
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(path.join(place, name, `${i}.png`));
    }
  }
}

const quantize = [{ scheme: 'int8' }];
const at = (name: string): string => path.join(folder, name);
const ofPictures = (channels: number, size = [24, 24]) => ({
  dataset: { type: 'image-folder', train: 'pictures', test: 'unseen', resize: size, channels },
  student: { model: 'cnn', filters: [8, 8] },
  distill: { epochs: 4, batchSize: 16, optimizer: { learningRate: 0.01 } },
});
const CASES = {
  colour: ofPictures(3),
  grey: ofPictures(1),
  text: {
    dataset: { type: 'csv', train: 'train.csv', test: 'test.csv', label: 'category', text: { column: 'text', tokenizer: 'tokenizer.json', length: 32 } },
    student: { model: 'text-transformer', size: 16 },
    distill: { epochs: 3, batchSize: 32, optimizer: { learningRate: 0.01 } },
  },
  tags: {
    dataset: { type: 'jsonl', task: 'tagging', train: 'tags.jsonl', test: 'tags-test.jsonl', label: 'tags', text: { column: 'tokens', tokenizer: 'pieces.json', length: 32 } },
    student: { model: 'text-cnn', size: 8, filters: 16, depth: 2 },
    distill: { epochs: 4, batchSize: 32, optimizer: { learningRate: 0.01 } },
  },
  masks: {
    dataset: { type: 'mask-folder', task: 'segmentation', train: 'discs', test: 'discs-unseen', classes: ['ground', 'disc'], resize: [24, 24], stride: 4 },
    student: { model: 'unet', filters: 8, depth: 2 },
    distill: { epochs: 6, batchSize: 16, optimizer: { learningRate: 0.02 } },
  },
}; // prettier-ignore

/** Pictures of a disc of noise, of 30x24 and 24x24, and their masks. Smaller pictures sharp would shift by half a pixel in Node. */
async function discs(place: string, count: number, key: string): Promise<void> {
  const random = new RandomStream('discs', key);
  for (const name of ['images', 'masks']) await mkdir(path.join(place, name), { recursive: true });
  for (let i = 0; i < count; i++) {
    const [height, width] = [i % 2 === 0 ? 24 : 30, 24];
    const [y, x, r] = [6 + random.below(10), 6 + random.below(12), 4 + random.below(4)];
    const mask = Uint8Array.from({ length: height * width }, (_, p) =>
      Math.hypot(Math.floor(p / width) - y, (p % width) - x) < r ? 1 : 0,
    );
    const pixels = Uint8Array.from({ length: height * width * 3 }, (_, p) => {
      return 60 + 80 * mask[Math.floor(p / 3)]! + 20 * (p % 3) + Math.round(60 * random.uniform());
    });
    const files = [['images', pixels, 3], ['masks', mask, 1]] as const; // prettier-ignore
    for (const [name, data, channels] of files)
      await sharp(data, { raw: { width, height, channels } }).toColourspace(channels === 1 ? 'b-w' : 'srgb').png().toFile(path.join(place, name, `${i}.png`)); // prettier-ignore
  }
}

const words = ['Ada', 'Bo', 'Cleo', 'Dan', 'Eve', 'Finn', 'Stone', 'Field', 'Marsh', 'Wood', 'Rome', 'Oslo', 'Lima', 'Bern', 'walks', 'sees', 'the', 'old', 'house', 'in', 'near', 'and', 'rain', 'falls']; // prettier-ignore

/** What a file of a run answers to the test split: the name of a class, or of the tag of each word, or of the class of each pixel at these sizes. */
async function expected(run: string, name: string, test: Dataset, counts: readonly number[], sizes: readonly (readonly [number, number])[]): Promise<string[]> {
  const file = path.join(run, 'exports', name);
  const logits = await logitsOfFile({ file, bytes: readFileSync(file), format: 'onnx', precision: 'fp32' }, test, { session: {} });
  const { classNames } = test;
  const width = logits.length / test.count;
  return Array.from({ length: test.count }, (_, i) => {
    if (test.task === 'segmentation') {
      // A pipeline resizes the logits of each picture to its own size.
      const each = resizedLogits(logits.slice(i * width, (i + 1) * width), [6, 6, classNames.length], sizes[i]!);
      return Array.from({ length: each.length / classNames.length }, (_none, pixel) => classNames[argMax(each, pixel * classNames.length, classNames.length)]!).join(' ');
    }
    if (test.task !== 'tagging') return classNames[argMax(logits, i * width, classNames.length)]!;
    // Each word has one token, after the one that starts a text.
    const tagOf = (word: number): string => classNames[argMax(logits, i * width + (word + 1) * classNames.length, classNames.length)]!;
    return Array.from({ length: counts[i]! }, (_none, word) => tagOf(word)).join(' ');
  });
} // prettier-ignore

beforeAll(async () => {
  await pictures(at('pictures'), 60, 'train');
  await pictures(at('unseen'), 40, 'test');
  await discs(at('discs'), 80, 'train');
  await discs(at('discs-unseen'), 40, 'test');
  await writeQuestions(folder);
  await writeFile(at('pieces.json'), JSON.stringify(wordPieces(words.map((word) => word.toLowerCase()))));
  await writeFile(at('tags.jsonl'), asJsonl(taggedSentences(300, 'train')));
  await writeFile(at('tags-test.jsonl'), asJsonl(taggedSentences(100, 'test')));
});

/** The test split of a recipe, and what a pipeline is given for each of its rows: a file or a text. */
async function testOf(recipe: object): Promise<{ test: Dataset; inputs: string[] }> {
  const texts: string[][] = [];
  const data = await loadData(makeRecipe(recipe, folder).recipe, {
    keepOriginals: true,
    onText: (id, _read, all) => id.startsWith('test/') && (texts[Number(id.slice(5))] = [...all]),
  });
  const test = data.test!;
  const { originals } = test;
  const inputs = Array.from(test.ids, (id, row) =>
    typeof originals === 'object'
      ? (originals.images[id]!.input as string)
      : texts[Number(sampleId(test, row).slice(5))]!.join(' '),
  );
  return { test, inputs };
}

it.each(Object.keys(CASES) as (keyof typeof CASES)[])('pipeline() of transformers.js opens a folder of %s, and gives the class that evaluate gives', async (name) => {
  const isTags = name === 'tags';
  const recipe = { name, ...CASES[name], ...QUICK, ...(!isTags && { quantize }), export: ['onnx'], baseline: false, card: { license: 'mit' } };
  const { folder: run } = await runRecipe(makeRecipe(recipe, folder), { out: folder, existing: 'fresh' });
  const to = at(`${name}-pipeline`);
  const { pipeline, files, skipped } = await writePipelineFolder(run, to);
  expect([skipped, files]).toEqual([[], expect.arrayContaining(['README.md', 'config.json', 'onnx/model.onnx', 'onnx/model_fp16.onnx'])]);
  expect(readFileSync(path.join(to, 'README.md'), 'utf8')).toMatch(/^---\nlibrary_name: transformers\.js\npipeline_tag: .*license: mit\n---\n/s);
  const { test, inputs } = await testOf(recipe);
  const sizes = inputs.map((input): [number, number] => [Number(path.basename(input, '.png')) % 2 === 0 ? 24 : 30, 24]);
  const counts = inputs.map((input) => input.split(' ').length);
  const forms = [['fp32', 'scratch.onnx'], ...(isTags ? [] : [['q8', 'scratch-int8.onnx']]), ['fp16', 'scratch.onnx']] as [string, string][];
  const asked = forms.map(([dtype]) => ({ pipeline, folder: to, dtype, inputs }));
  const found = await inPipelines<string>(asked);
  const there = await inPipelinesOfChromium<string>(asked);
  for (const [i, [dtype]] of there === undefined ? [] : forms.entries()) {
    // The browser resizes pictures by its own filter, so that only those of the model's size are the same.
    const isExact = (row: number): boolean => !inputs[row]!.endsWith('.png') || Number(path.basename(inputs[row]!, '.png')) % 2 === 0; // prettier-ignore
    const shareOf = (of: boolean): number[] => {
      const parts = inputs.flatMap((_, row) => {
        if (isExact(row) !== of) return [];
        const [here, other] = [found[i]![row]!.split(' '), there![i]![row]!.split(' ')];
        return here.map((label, at) => label === other[at]);
      });
      return [parts.filter(Boolean).length, parts.length];
    };
    console.log(`${name} ${dtype} in Chromium as in Node: ${shareOf(true).join(' of ')} as they are, ${shareOf(false).join(' of ')} resized`);
    const [same, all] = shareOf(true);
    expect([name, dtype, same]).toEqual([name, dtype, all]);
    const [near, resized] = shareOf(false);
    expect(near).toBeGreaterThanOrEqual(0.8 * resized!);
  }
  for (const [i, [dtype, file]] of forms.entries()) {
    const labels = await expected(run, file, test, counts, sizes);
    const same = labels.filter((label, row) => label === found[i]![row]).length;
    // Pictures of another size are made grey before they are resized here, and after it there.
    const isExact = (row: number): boolean => name !== 'grey' || Number(path.basename(inputs[row]!, '.png')) % 2 === 0;
    const differ = labels.filter((label, row) => isExact(row) && label !== found[i]![row]);
    if (name === 'masks') {
      const pixels = (of: string[], row: number): string[] => of[row]!.split(' ');
      const shareOf = (isOwnSize: boolean): number => {
        const rows = labels.flatMap((_, row) => ((sizes[row]![0] === 24) === isOwnSize ? [row] : []));
        const equal = rows.flatMap((row) => pixels(found[i]!, row).map((label, pixel) => label === pixels(labels, row)[pixel]));
        return equal.filter(Boolean).length / equal.length;
      };
      console.log(`${name} ${dtype}: equal pixels ${shareOf(true)} of pictures of the model's size, ${shareOf(false)} of others`);
      if (dtype !== 'fp16') expect(shareOf(true)).toBe(1);
      if (dtype !== 'fp16') expect(shareOf(false)).toBe(1);
      continue;
    }
    console.log(`${name} ${dtype}: ${same} of ${labels.length} rows alike, ${new Set(labels).size} kinds`);
    if (dtype !== 'fp16') expect(differ).toEqual([]);
    expect(new Set(labels).size).toBeGreaterThan(1);
  }
}); // prettier-ignore
