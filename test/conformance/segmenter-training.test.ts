import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { percent } from '../../src/base/numbers.ts';
import { RandomStream } from '../../src/base/random.ts';
import { sampleWriter } from '../../src/data/batches/samples.ts';
import { targetsLike } from '../../src/data/dataset.ts';
import type { Dataset, TargetValues } from '../../src/data/dataset.ts';
import { loadDataset } from '../../src/data/load.ts';
import { createLoss } from '../support/losses.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import type { Network } from '../../src/networks/network.ts';
import type { CompiledStep, State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { segmentation } from '../../src/answers/mask/task.ts';
import type { Task } from '../../src/tasks/task.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { predictionProgram } from '../../src/train/evaluate/inference.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { createSchedule } from '../../src/train/optimizers/schedules.ts';
import { trainingProgram } from '../../src/train/step/step.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runPython } from './python.ts';

/** PyTorch's training of the same student from the same weights, and what it says about ours. */
interface Compared {
  /** Error of the gradient of the first step relative to PyTorch's in float64: ours, and that of PyTorch in float32. */
  readonly gradient: number;
  readonly gradient32: number;
  readonly losses: readonly number[];
  /** Mean IoU of the test pictures: of PyTorch's training, and of our trained weights in PyTorch. */
  readonly theirs: number;
  readonly ours: number;
}

const [SIZE, STRIDE, BATCH] = [96, 8, 8];
/** `.ci/run` asks for one: two take some minutes. */
const SEEDS = Array.from({ length: Number(process.env['LIMBECK_SEEDS'] ?? 2) }, (_, i) => i + 1);
const OPTIONS = { alpha: 0.25, filters: 32 };
const WEIGHT_DECAY = 1e-2;

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

let data: { readonly train: Dataset; readonly test: Dataset };
let task: Task;

beforeAll(async () => {
  useLazyBackend(evaluator);
  const scenes = (part: string) => path.resolve('datasets/emoji-scenes', part);
  const { recipe } = makeRecipe(
    {
      name: 'scenes',
      dataset: {
        ...{ type: 'mask-folder', task: 'segmentation', train: scenes('train'), test: scenes('test') },
        ...{ resize: [SIZE, SIZE], stride: STRIDE, limit: 400 },
      },
      student: { model: 'seg-lraspp', ...OPTIONS },
      distill: {},
    },
    tmpdir(),
  );
  const { train, test } = await loadDataset(recipe.dataset);
  data = { train, test: test! };
  const { classNames, sampleShape } = train;
  task = segmentation({ classNames, sampleShape, stride: STRIDE });
});

function picturesOf(dataset: Dataset): Float32Array {
  const size = SIZE * SIZE * 3;
  const [out, write] = [new Float32Array(dataset.count * size), sampleWriter(dataset)];
  for (let row = 0; row < dataset.count; row++) write(row, out, row * size);
  return out;
}

/** Rows of a batch. */
function taken<T extends TargetValues>(values: T, rows: Int32Array, width: number): T {
  const out = targetsLike(values, rows.length * width) as T;
  for (const [i, row] of rows.entries()) out.set(values.subarray(row * width, (row + 1) * width), i * width);
  return out;
}

async function keep(name: string, network: Network, step: CompiledStep, prefix = ''): Promise<void> {
  const state = await step.state();
  const names = Object.keys(prefix === '' ? network.state : network.trainable);
  const index = names.map((key) => ({ name: key, shape: network.state[key]!.shape }));
  writeFileSync(at(`${name}.json`), JSON.stringify(index));
  writeFileSync(at(`${name}.bin`), Buffer.concat(names.map((key) => bytesOf(state.get(`${prefix}${key}`)!.data))));
}

/** Normalized values that are activated get the mean 3 and the deviation 0.5. */
function smooth(state: State): State {
  const changed = [...state].map(([name, tensor]) => {
    const value = /^adam|project_bn/.test(name) ? undefined : /_bn\/(gamma|beta)$/.exec(name)?.[1];
    const data = (tensor.data as Float32Array).slice();
    return [name, { ...tensor, data: value === undefined ? data : data.fill(value === 'beta' ? 3 : 0.5) }] as const;
  });
  return new Map(changed);
}

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

/**
 * Trains the student and keeps for PyTorch the weights at the beginning and at the end, and the rows and rates of each step. `isSmooth`: from weights by
 * which nearly all values lie far from the kinks of ReLU6, where rounding decides about a gradient, in PyTorch's float32 as here.
 */
async function trained(
  seed: number,
  { steps, isSmooth = false }: { readonly steps: number; readonly isSmooth?: boolean },
): Promise<{ readonly losses: readonly number[]; readonly score: number }> {
  const { train, test } = data;
  const build = { inputShape: train.sampleShape, classes: train.classNames.length, seed, options: OPTIONS };
  const network = layersNetwork(buildModel('seg-lraspp', { ...build, answersPer: 'pixel', stride: STRIDE }));
  const loss = createLoss('ce', { hyper: {}, ofLabels: task.labelNumbers({ labelSmoothing: 0, dice: undefined }) });
  const optimizer = createOptimizer({ type: 'adamw', weightDecay: WEIGHT_DECAY }, network.trainable);
  const options = { task, network, loss, optimizer, batchSize: BATCH, mix: task.trainsOn! };
  const step = await engine.compile(trainingProgram(options));
  if (isSmooth) await step.load(smooth(await step.state()));
  await keep('begin', network, step);

  const [pictures, shares] = [picturesOf(train), task.fed(train.targets, 'train')['targets'] as Float32Array];
  const stepsPerEpoch = Math.floor(train.count / BATCH);
  const rate = createSchedule({ schedule: 'onecycle', learningRate: 0.004 }, { stepsPerEpoch, steps });
  const random = new RandomStream('order', seed);
  const order = Array.from({ length: Math.ceil(steps / stepsPerEpoch) }, () => [...random.permutation(train.count)].slice(0, stepsPerEpoch * BATCH)).flat(); // prettier-ignore
  const hyper = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)] as const);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const rows = Int32Array.from(order.slice(i * BATCH, (i + 1) * BATCH));
    const fed = {
      ...{ x: taken(pictures, rows, SIZE * SIZE * 3), targets: taken(shares, rows, task.width) },
      ...{ weights: task.weightOf!(taken(train.targets, rows, task.targetWidth)), ...Object.fromEntries(hyper) },
    };
    losses.push(Number((await step.run({ ...fed, ...optimizer.feedValues(i, rate(i)) }))['loss']![0]));
    // Adam's first slot after one step is the gradient.
    if (i === 0) await keep('gradient', network, step, 'adam.m/');
  }
  await keep('end', network, step);

  const evaluation = await engine.compile(predictionProgram({ network, batchSize: test.count }));
  const state = [...(await step.state())].filter(([name]) => name in network.state);
  await evaluation.load(new Map(state));
  const seen = picturesOf(test);
  const { logits } = await evaluation.run({ x: seen });
  await Promise.all([evaluation.dispose(), step.dispose()]);
  const rates = Array.from({ length: steps }, (_, i) => rate(i));
  const sizes = { size: SIZE, stride: STRIDE, batch: BATCH };
  const about = { ...sizes, classes: train.classNames.length, rates, order, decay: WEIGHT_DECAY, ...OPTIONS };
  writeFileSync(at('about.json'), JSON.stringify(about));
  for (const [name, values] of Object.entries({ pictures, shares, seen, masks: test.targets }))
    writeFileSync(at(`${name}.bin`), bytesOf(values));
  return { losses, score: task.scoreOf(logits as Float32Array, test.targets) };
}

it('gradients of a segmenter are those of PyTorch, and the losses of the steps that follow', async () => {
  const { losses } = await trained(1, { steps: 10, isSmooth: true });
  const { gradient, gradient32, losses: theirs } = runPython('segmenter_training.py', folder(), 'float64') as Compared;
  const apart = Math.max(...theirs.map((loss, i) => Math.abs(losses[i]! - loss) / loss));
  console.log(`gradient ${gradient.toExponential(1)} (PyTorch in float32 ${gradient32.toExponential(1)}), losses of ${losses.length} steps ${apart.toExponential(1)}`); // prettier-ignore
  expect(losses.length).toBe(10);
  expect(gradient).toBeLessThan(1e-5);
  expect(apart).toBeLessThan(1e-4);
}, 600_000);

it('a segmenter that we train from given weights becomes what PyTorch makes of it', async () => {
  const gaps: number[] = [];
  for (const seed of SEEDS) {
    const { losses, score } = await trained(seed, { steps: 300 });
    const { theirs, ours, losses: others } = runPython('segmenter_training.py', folder(), 'float32') as Compared;
    console.log(`seed ${seed}: last losses ${losses.at(-1)!.toFixed(4)} and ${others.at(-1)!.toFixed(4)}, mean IoU ${percent(score, 2)} and ${percent(theirs, 2)}`); // prettier-ignore
    // PyTorch gives the same score to our weights.
    expect(Math.abs(ours - score)).toBeLessThan(1e-4);
    gaps.push(score - theirs);
  }
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
}, 3_600_000);
