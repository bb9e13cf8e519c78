import { cosinesOf } from '../../src/base/math/vectors.ts';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../../src/base/random.ts';
import { sampleId } from '../../src/data/dataset.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { writePipelineFolder } from '../../src/consumers/transformers/folder.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { writeQuestions } from '../support/questions.ts';
import { inPipelines, inPipelinesOfChromium } from './pipelines.ts';

const WIDTH = 8;
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

/** Coloured pictures of two classes. */
async function pictures(place: string, count: number): Promise<void> {
  const random = new RandomStream(place);
  for (const [k, name] of ['dark', 'bright'].entries()) {
    await mkdir(at(`${place}/${name}`), { recursive: true });
    for (let i = 0; i < count; i++) {
      const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, () => Math.round(100 * k + 120 * random.uniform()));
      await sharp(pixels, { raw: { width: 24, height: 24, channels: 3 } }).png().toFile(at(`${place}/${name}/${i}.png`)); // prettier-ignore
    }
  }
}

const OF = {
  pictures: {
    dataset: { type: 'image-folder', train: 'train', test: 'test', resize: [24, 24], channels: 3 },
    student: { model: 'cnn', filters: [8, 8] },
  },
  texts: {
    dataset: { type: 'csv', train: 'train.csv', test: 'test.csv', label: 'category', text: { column: 'text', tokenizer: 'tokenizer.json', length: 32 } }, // prettier-ignore
    student: { model: 'text-transformer', size: 16 },
  },
};

it.each(['pictures', 'texts'] as const)(
  'pipeline() of transformers.js gives the vectors of %s that evaluate reads',
  async (name) => {
    if (name === 'texts') await writeQuestions(folder());
    else
      for (const [place, count] of [
        ['train', 40],
        ['test', 10],
      ] as const)
        await pictures(place, count);
    const { dataset, student } = OF[name];
    const recipe = { name, dataset: { ...dataset, task: 'embedding', dimensions: WIDTH }, student, distill: { epochs: 2, batchSize: 16 }, ...QUICK, export: ['onnx'] }; // prettier-ignore
    const made = makeRecipe(recipe, folder());
    const { folder: run } = await runRecipe(made, { out: folder() });
    const { pipeline } = await writePipelineFolder(run, at('pipeline'));
    expect(pipeline).toBe(name === 'texts' ? 'feature-extraction' : 'image-feature-extraction');
    const texts: string[] = [];
    const data = await loadData(made.recipe, {
      keepOriginals: true,
      onText: (id, _read, [text]) => id.startsWith('test/') && (texts[Number(id.slice(5))] = text!),
    });
    const test = data.test!;
    const { originals } = test;
    const inputs = Array.from(test.ids, (id, row) =>
      typeof originals === 'object'
        ? String(originals.images[id]!.input)
        : texts[Number(sampleId(test, row).slice(5))]!,
    );
    const asked = [{ pipeline, folder: at('pipeline'), dtype: 'fp32', inputs }];
    const [found] = await inPipelines<number[]>(asked);
    const [there] = (await inPipelinesOfChromium<number[]>(asked)) ?? [found];
    const apart = found!.flat().map((value, i) => Math.abs(value - there!.flat()[i]!));
    console.log(`${name} in Chromium beside Node: at most ${Math.max(...apart)} of ${apart.length} numbers`);
    expect(Math.max(...apart)).toBeLessThan(1e-4);
    const file = path.join(run, 'exports/scratch.onnx');
    const own = await logitsOfFile({ file, bytes: readFileSync(file), format: 'onnx', precision: 'fp32' }, test, { session: {} }); // prettier-ignore
    const cosines = cosinesOf(
      { values: own, width: WIDTH },
      { values: Float32Array.from(found!.flat()), width: WIDTH },
    );
    // Long texts are cut otherwise: see the notes of the folder.
    const alike = cosines.filter((cosine) => cosine > 0.9999).length;
    expect([cosines.length, alike / cosines.length >= (name === 'texts' ? 0.95 : 1)]).toEqual([test.count, true]);
  },
);
