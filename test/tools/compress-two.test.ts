import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { lockRun } from '../../src/folder/lock.ts';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { tensorData } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { loadData } from '../../src/setup/data.ts';
import { compression } from '../../src/tools/compress/compress.ts';
import { openModel } from '../../src/tools/compress/model.ts';
import { datasetOf } from '../../src/tools/compress/samples.ts';
import { temporaryFolder } from '../support/folder.ts';
import { floats, modelOf } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [COUNT, SIZE] = [40, 5];
const x = Float32Array.from({ length: COUNT * SIZE }, (_, i) => Math.sin(i * i));
const kernel = floats(SIZE, 1);

/** A model of one number, of which a sigmoid makes a probability or which is a logit. */
async function model(end: 'probability' | 'logit') {
  const steps: Step[] = end === 'logit' ? [['MatMul', ['x', 'w']]] : [['MatMul', ['x', 'w']], ['Sigmoid', ['y0']]]; // prettier-ignore
  const { graph, ...rest } = modelOf(['n', SIZE], { w: kernel }, steps);
  const outputs = [{ name: 'y', dtype: 'float32' as const, dims: ['n', 1] }];
  await writeFile(at('m.onnx'), encodeModel({ ...rest, graph: { ...graph, outputs } }));
  return openModel(at('m.onnx'));
}

describe('a model with one number for two classes', () => {
  beforeEach(() => writeFile(at('x.npy'), npyBytes([COUNT, SIZE], x)));

  it('that ends in a sigmoid is a model of two classes, and gives samples without labels its own', async () => {
    const found = await model('probability');
    expect([found.one, found.classes]).toEqual(['probability', 2]);
    const dataset = await datasetOf(found, { data: at('x.npy'), folder: at('samples') });
    expect(dataset.labelledBy).toBe('m.onnx');
    const data = await loadData(makeRecipe({ name: 'm', dataset, student: { onnx: at('m.onnx') } }).recipe);
    const weights = tensorData(kernel) as Float32Array;
    const sumOf = (row: number): number => weights.reduce((sum, w, i) => sum + w * x[row * SIZE + i]!, 0);
    const { ids, targets } = data.train;
    expect(ids.length).toBeGreaterThan(20);
    expect([...targets]).toEqual([...ids].map((id) => Number(sumOf(id) > 0)));
  });

  it('that ends in a dense layer needs labels: it may be a number to predict', async () => {
    const found = await model('logit');
    expect([found.one, found.classes]).toEqual(['logit', 2]);
    await expect(datasetOf(found, { data: at('x.npy'), folder: at('samples') })).rejects.toThrow(
      /m\.onnx: answers with one number for each sample, which is the logit of two classes or a number to predict$/,
    );
    const y = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
    await writeFile(at('d.npz'), zipSync({ 'x.npy': npyBytes([COUNT, SIZE], x), 'y.npy': npyBytes([COUNT], y) }));
    expect((await datasetOf(found, { data: at('d.npz'), folder: at('samples') })).classes).toEqual(['0', '1']);
    const dataset = { type: 'npz', task: 'regression', train: { file: at('d.npz'), samples: 'x', labels: 'y' } };
    await writeFile(at('r.json'), JSON.stringify({ name: 'r', dataset, student: { model: 'mlp' } }));
    await expect(datasetOf(found, { data: at('r.json'), folder: at('samples') })).rejects.toThrow(
      /r\.json: dataset\.task: expected classification, segmentation or detection, received regression$/,
    );
  });

  it('that states its classes has those of a folder in its own order', async () => {
    for (const name of ['cat', 'dog']) await mkdir(at(`pictures/${name}`), { recursive: true });
    const stating = (labels?: string[]) =>
      datasetOf({ file: 'm.onnx', sampleShape: [4, 4, 1], classes: 2, labels } as never, {
        ...{ data: at('pictures'), folder: at('samples') },
      });
    expect((await stating(['dog', 'cat'])).classes).toEqual(['dog', 'cat']);
    expect((await stating(['dog', 'fox'])).classes).toBeUndefined();
    expect((await stating()).classes).toBeUndefined();
  });

  it('the folder of its samples holds nothing half written, and is that of one process at a time', async () => {
    await model('probability');
    const options = { model: at('m.onnx'), data: at('x.npy'), epochs: 0, seed: 0, formats: ['onnx'], out: at('out') } as const; // prettier-ignore
    await expect(compression({ ...options, data: at('gone.npy') })).rejects.toThrow('gone.npy: cannot read it');
    expect((await readdir(folder())).sort()).toEqual(['m.onnx', 'x.npy']);
    const own = at('out/m-small.samples');
    await mkdir(own, { recursive: true });
    await writeFile(path.join(own, '.samples.npy.0123456789ab.tmp'), 'killed');
    const unlock = await lockRun(own);
    await expect(compression(options)).rejects.toMatchObject({
      hint: expect.stringMatching(/ with --name$/) as string,
    });
    await unlock();
    await compression(options);
    expect((await readdir(own)).sort()).toEqual(['labels.npy', 'samples.npy']);
  });
});

it('a model that ends in a softmax is compressed by its logits, and its files have the probabilities beside them', async () => {
  const steps: Step[] = [
    ['MatMul', ['x', 'w']],
    ['Softmax', ['y0'], { axis: 1 }],
  ];
  await writeFile(at('m.onnx'), encodeModel(modelOf(['n', SIZE], { w: floats(SIZE, 3) }, steps)));
  await writeFile(at('x.npy'), npyBytes([COUNT, SIZE], x));
  const options = { model: at('m.onnx'), data: at('x.npy'), epochs: 0, seed: 0, formats: ['onnx'], out: at('out') } as const; // prettier-ignore
  const { loaded, notes } = await compression(options);
  expect(loaded.recipe.outputs).toBe('probabilities');
  expect(notes[0]).toMatch(/^m\.onnx: is trained by its logits, without the softmax at its end; beside each file/);
});
