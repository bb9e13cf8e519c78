import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { zipSync } from 'fflate';
import { batchCount, batches } from '../../src/data/batches/batches.ts';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { createLoss } from '../support/losses.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { contentOf } from '../../src/networks/network.ts';
import { onnxNetwork } from '../../src/networks/onnx/onnx.ts';
import type { LoadedRecipe } from '../../src/recipe/load.ts';
import type { RecipeInput } from '../../src/recipe/schema.ts';
import { epochOptions, numberOfSteps } from '../../src/run/training/options.ts';
import type { State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { loadData } from '../../src/setup/data.ts';
import { studentBuilder } from '../../src/setup/models.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { taskOf } from '../../src/tasks/registry.ts';
import { batchFeeds, fedTo } from '../../src/train/step/batch.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { createSchedule } from '../../src/train/optimizers/schedules.ts';
import { trainingProgram } from '../../src/train/step/step.ts';
import { arraysOf, matched } from './zoo-training.ts';

/** Normalization of the pictures that `zoo_pretrained.py` wrote. */
export interface Prepared {
  readonly mean: number;
  readonly std: number;
}

/** The fine-tuning of EfficientNet-Lite0 with a new head, on the pictures of a folder. */
export function recipeOf(
  folder: string,
  { mean, std }: Prepared,
  more: Partial<RecipeInput>,
  { seed = 1, name = 'lite0' } = {},
): LoadedRecipe {
  const normalize = { mean: [mean, mean, mean], std: [std, std, std] };
  return makeRecipe(
    {
      ...{ name, seed },
      dataset: { type: 'npz', train: { file: 'train.npz' }, test: { file: 'test.npz' }, normalize },
      student: { onnx: 'lite0.onnx', head: 'replace' },
      distill: { epochs: 2, batchSize: 32, optimizer: { type: 'adamw', learningRate: 0.001, schedule: 'cosine' } },
      ...{ export: ['onnx'], report: { latency: { seconds: 0 } }, ...more },
    },
    folder,
  );
}

function write(folder: string, file: string, arrays: Readonly<Record<string, Uint8Array>>): void {
  const named = Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes] as const);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, file), zipSync(Object.fromEntries(named), { level: 0 }));
}

/** Everything of a training that PyTorch needs to do the same: rows of train.npz and learning rate of each step, and the new head. */
export async function writeTraining({ recipe }: LoadedRecipe, folder: string): Promise<void> {
  const data = await loadData(recipe);
  const { train } = data;
  const { distill, seed } = recipe;
  const rows: number[] = [];
  const sizes: number[] = [];
  for (let epoch = 0; epoch < distill.epochs; epoch++) {
    for (const { ids } of batches(train, epochOptions(recipe, { settings: distill, seed, views: undefined }, epoch))) {
      rows.push(...[...ids].map((row) => train.ids[row]!));
      sizes.push(ids.length);
    }
  }
  const length = {
    stepsPerEpoch: batchCount(train.count, distill.batchSize),
    steps: numberOfSteps(distill, train.count),
  };
  const schedule = createSchedule(distill.optimizer, length);
  write(folder, 'steps.npz', {
    rows: npyBytes([rows.length], Int32Array.from(rows)),
    sizes: npyBytes([sizes.length], Int32Array.from(sizes)),
    rates: npyBytes(
      [sizes.length],
      Float32Array.from(sizes, (_, step) => schedule(step)),
    ),
  });
  const network = await studentBuilder({ recipe, data }, seed)();
  const content = contentOf(network);
  const [weight, bias] = ['_fc.weight', '_fc.bias'].map((name) => content.get(name)!);
  const from = weight!.type.shape.map(Number) as [number, number];
  const classes = data.classNames.length;
  const isTurned = from[0] !== classes;
  const width = from[isTurned ? 0 : 1];
  const values = weight!.data as Float32Array;
  const stored = isTurned
    ? Float32Array.from(values, (_, i) => values[(i % width) * classes + Math.floor(i / width)]!)
    : values;
  write(folder, 'head.npz', { weight: npyBytes([classes, width], stored), bias: npyBytes([classes], bias!.data as Float32Array) }); // prettier-ignore
}

/** Steps after which `zoo_pretrained.py steps` writes how far the weights went. */
export const SEEN = [1, 5, 20];

/** Losses of the first steps, and errors beside PyTorch's in float64, of all tensors together. */
interface FirstSteps {
  readonly losses: readonly number[];
  readonly gradient: number;
  /** Of the way of the trained weights, after each of `SEEN`. */
  readonly ways: readonly number[];
  /** Of the way of running means and variances. */
  readonly statistics: readonly number[];
  /** Tensors that were compared. */
  readonly compared: number;
}

/** The first steps of a recipe's training, as a run takes them, beside what PyTorch wrote of them. */
export async function firstSteps({ recipe }: LoadedRecipe, folder: string): Promise<FirstSteps> {
  const data = await loadData(recipe);
  const { distill, seed } = recipe;
  const { optimizer: asked, batchSize } = distill;
  const task = taskOf(data.train);
  const file = path.join(folder, 'lite0.onnx');
  const network = onnxNetwork(decodeModel(readFileSync(file), file), file, {
    ...{ inputShape: data.train.sampleShape, classes: data.classNames.length, seed, freeze: [] },
    // PyTorch has whole filters: those of the run lack what only ever meets padding.
    ...{ head: 'replace', isTrimmed: false },
  });
  const arrays = arraysOf(path.join(folder, 'ways.npz'));
  const taken = new Set<string>();
  const found = [...contentOf(network)].flatMap(([key, { data: values }]) => {
    const match = matched((values as Float32Array).slice(), arrays, taken);
    const before = (values as Float32Array).slice();
    const { key: theirs, turned } = match ?? { key: '' };
    return turned === undefined ? [] : [{ key, theirs, turned, before, isTrained: key in network.trainable }];
  });
  const loss = createLoss('ce', { hyper: { labelSmoothing: 0 }, features: [], seed });
  const optimizer = createOptimizer(asked, network.trainable);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const step = await engine.compile(trainingProgram({ task, network, loss, optimizer, batchSize }));
  const hyper = Object.fromEntries(Object.entries(loss.hyper).map(([key, v]) => [`hyper/${key}`, Float32Array.of(v)]));
  const length = {
    stepsPerEpoch: batchCount(data.train.count, batchSize),
    steps: numberOfSteps(distill, data.train.count),
  };
  const schedule = createSchedule(asked, length);
  const off = (state: State, of: typeof found, kind: string, name: (key: string) => string, isWay: boolean): number => {
    let [distance, norm] = [0, 0];
    for (const { key, theirs, turned, before } of of) {
      const wanted = turned(arrays.get(`${kind}/${theirs}`)!.data);
      const given = state.get(name(key))!.data as Float32Array;
      for (let i = 0; i < wanted.length; i++) {
        distance += (given[i]! - (isWay ? before[i]! : 0) - wanted[i]!) ** 2;
        norm += wanted[i]! ** 2;
      }
    }
    return Math.sqrt(distance / norm);
  };
  const trained = found.filter(({ isTrained }) => isTrained);
  const others = found.filter(({ isTrained }) => !isTrained);
  const losses: number[] = [];
  const ways: number[] = [];
  const statistics: number[] = [];
  let gradient = NaN;
  for (const batch of batches(data.train, epochOptions(recipe, { settings: distill, seed, views: undefined }, 0))) {
    const at = losses.length;
    if (at === SEEN.at(-1)) break;
    const feeds = { ...batchFeeds(batch, task, 'a step'), ...hyper, ...optimizer.feedValues(at, schedule(at)) };
    const results = await step.run(fedTo(step, feeds), at);
    losses.push(Number(results['loss']![0]));
    if (!SEEN.includes(at + 1)) continue;
    const state = await step.state();
    // The sum of the gradients, after one step the gradient itself.
    if (at === 0) gradient = off(state, trained, 'g', (key) => `adam.m/${key}`, false);
    ways.push(off(state, trained, `m${at + 1}`, (key) => key, true));
    statistics.push(off(state, others, `m${at + 1}`, (key) => key, true));
  }
  await step.dispose();
  network.dispose();
  return { losses, gradient, ways, statistics, compared: found.length };
}
