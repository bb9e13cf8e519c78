import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { openFile } from '../../src/distill/teachers/open.ts';
import type { FileSettings } from '../../src/distill/teachers/open.ts';
import { preparationOf } from '../../src/distill/teachers/inputs/preparation.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { loadData } from '../../src/setup/data.ts';
import { engineOf } from '../../src/setup/engine.ts';
import { studentBuilder, teacherBuilder } from '../../src/setup/models.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { pictures } from '../support/dataset.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { pictureModel } from '../support/onnx.ts';
import { saveTfjs } from '../support/saved-tfjs.ts';

const folder = temporaryFolder();
beforeAll(() => useLazyBackend(evaluator));

const TEACHER = { train: { model: 'mlp', hidden: [4], epochs: 1 } };

/** A student that subtracts `mean` and divides by `std` first, and the pictures of `dataset.ts`. */
async function recipeOf(mean: readonly number[], std: readonly number[], normalize?: object) {
  await writeStudent(mean, std);
  return recipeWith({ onnx: 's.onnx' }, normalize);
}

async function writeStudent(mean: readonly number[], std: readonly number[]): Promise<void> {
  const model = pictureModel();
  const initializers = [...model.graph.initializers, tensor('m', 'float32', [2], Float32Array.from(mean)), tensor('s', 'float32', [2], Float32Array.from(std))]; // prettier-ignore
  const made = (op: string, inputs: string[], output: string) => ({ op, domain: '', name: '', inputs, outputs: [output], attrs: new Map() }); // prettier-ignore
  const fed = (name: string): string => (name === 'pixels' ? 'scaled' : name);
  const nodes = [made('Sub', ['pixels', 'm'], 'centred'), made('Div', ['centred', 's'], 'scaled'), ...model.graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(fed) }))]; // prettier-ignore
  await writeFile(path.join(folder(), 's.onnx'), encodeModel({ ...model, graph: { ...model.graph, initializers, nodes } })); // prettier-ignore
}

async function recipeWith(student: object, normalize?: object) {
  const { samples, targets, count } = pictures(60);
  await writeFile(path.join(folder(), 'x.npy'), npyBytes([count, 4, 4, 2], samples));
  await writeFile(path.join(folder(), 'y.npy'), npyBytes([count], BigInt64Array.from(targets, BigInt)));
  const dataset = { type: 'npz', train: { samples: 'x.npy', labels: 'y.npy' }, testFraction: 0.2, normalize };
  return makeRecipe({ name: 'r', dataset, student, teacher: TEACHER }, folder()).recipe;
}

it('a student whose file scales raw pixels gets raw pixels; everything else gets what it would get without', async () => {
  const recipe = await recipeOf([120, 125], [70, 75]);
  const data = await loadData(recipe);
  const [raw, usual] = [
    { scale: 1, mean: [0, 0], std: [1, 1] },
    { scale: 1 / 255, mean: [0, 0], std: [1, 1] },
  ];
  for (const split of [data.train, data.validation, data.test!]) {
    expect(split.normalization).toEqual(raw);
    expect(split.usual).toEqual(usual);
  }
  const settings = [undefined, new Map<string, string>(), data.train] as const;
  expect(preparationOf('t', ...settings)).toMatchObject({ normalize: usual, from: 'data' });
  const plain = { ...data, train: { ...data.train, normalization: usual, usual: undefined } };
  const answers = async (given: typeof data, bright: number): Promise<Float32Array> => {
    const network = await teacherBuilder({ recipe, data: given }, recipe.teacher!.train!)();
    const [input] = Object.keys(network.inputs) as [string];
    const x = tf.fill([1, 4, 4, 2], bright);
    return (await network.forward({ [input]: x }, { training: false }).outputs['logits']!.data()) as Float32Array;
  };
  const [fromRaw, fromUsual] = [await answers(data, 255), await answers(plain, 1)];
  fromRaw.forEach((value, i) => expect(value).toBeCloseTo(fromUsual[i]!, 4));
});

it('one that scales normalized pixels, or whose recipe states a normalization, gets these', async () => {
  expect((await loadData(await recipeOf([0.45, 0.5], [0.25, 0.3]))).train.usual).toBeUndefined();
  const stated = await loadData(await recipeOf([120, 125], [70, 75], { mean: 0.5, std: 0.5 }));
  expect(stated.train).toMatchObject({ normalization: { scale: 1 / 255, mean: [0.5, 0.5] } });
  expect(stated.train.usual).toBeUndefined();
});

describe('a model of tfjs that begins with Rescaling', () => {
  async function write(scale: number, offset: number): Promise<void> {
    const model = sequential();
    model.add(layers.rescaling({ inputShape: [4, 4, 2], scale, offset }));
    model.add(layers.batchNormalization({}));
    model.add(layers.flatten());
    model.add(layers.dense({ units: 3, name: 'logits' }));
    await saveTfjs(model, folder());
  }

  it('gets raw pixels as a student, which its notes say', async () => {
    await write(1 / 127.5, -1);
    const recipe = await recipeWith({ tfjs: 'model.json' });
    const data = await loadData(recipe);
    expect(data.train.normalization).toEqual({ scale: 1, mean: [0, 0], std: [1, 1] });
    const { origin } = await studentBuilder({ recipe, data }, 0)();
    expect(origin).toContainEqual(
      expect.stringMatching(/model\.json: begins with a scaling of raw samples, so it and/),
    );
    await write(2, -1);
    expect((await loadData(recipe)).train.usual).toBeUndefined();
  });

  it('gets raw pixels as a teacher', async () => {
    await write(1 / 127.5, -1);
    const recipe = await recipeOf([0.45, 0.5], [0.25, 0.3]);
    const { train: dataset } = await loadData(recipe);
    const options = { engine: await engineOf(recipe), session: {}, dataset, name: (file: string) => file };
    const settings: FileSettings = { tfjs: path.join(folder(), 'model.json'), outputs: 'logits', layout: 'auto', intermediate: [] }; // prettier-ignore
    const { teacher, preparation } = await openFile(settings, options);
    await teacher.dispose();
    expect(preparation).toMatchObject({ normalize: { scale: 1, mean: 0, std: 1 }, from: 'file' });
  });
});

describe('a TFLite file as a teacher', () => {
  /** A float32 file that begins with (x − mean) / std, and how its pictures are prepared. */
  async function preparationBehind(
    mean: readonly number[],
    std: readonly number[],
    precision: 'float32' | 'float16',
  ): Promise<unknown> {
    const b = new GraphBuilder();
    const stored = (shape: number[], values: readonly number[]): string =>
      b.constant({ dtype: 'float32', shape }, Float32Array.from(values));
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 2] });
    const scaled = b.op('RealDiv', [b.op('Sub', [x, stored([2], mean)]), stored([2], std)]);
    const weights = stored(
      [32, 3],
      Array.from({ length: 96 }, (_, i) => Math.sin(i)),
    );
    const flat = b.op('Reshape', [b.op('Tanh', [scaled])], { shape: ['batch', 32] });
    b.output('logits', b.op('BatchMatMul', [flat, weights], { transposeA: false, transposeB: false }));
    await writeFile(path.join(folder(), 't.tflite'), exportTflite(b.build(), { precision }).bytes);
    const recipe = await recipeWith({ model: 'mlp', hidden: [4] });
    const { train: dataset } = await loadData(recipe);
    const options = { engine: await engineOf(recipe), session: {}, dataset, name: (file: string) => file };
    const settings: FileSettings = { tflite: path.join(folder(), 't.tflite'), outputs: 'logits', layout: 'auto', intermediate: [] }; // prettier-ignore
    const { teacher, preparation } = await openFile(settings, options);
    await teacher.dispose();
    return preparation;
  }

  it.each(['float32', 'float16'] as const)('gets raw pixels if it scales them: %s', async (precision) => {
    expect(await preparationBehind([120, 125], [70, 75], precision)).toMatchObject({
      normalize: { scale: 1, mean: 0, std: 1 },
      from: 'file',
    });
  });

  it('gets normalized pixels if it scales these', async () => {
    expect(await preparationBehind([0.45, 0.5], [0.25, 0.3], 'float32')).toMatchObject({ from: 'data' });
  });
});
