import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../src/base/random.ts';
import { createLoss } from '../src/distill/losses/registry.ts';
import { decodeModel } from '../src/formats/onnx/protobuf.ts';
import type { TensorData } from '../src/graph/types.ts';
import { layersNetwork } from '../src/networks/layers/layers.ts';
import { onnxNetwork } from '../src/networks/onnx/onnx.ts';
import type { ModelNetwork } from '../src/networks/network.ts';
import { evaluator } from '../src/runtime/onnxruntime/evaluator.ts';
import { writeBoxes, boxesWidth } from '../src/data/targets/boxes.ts';
import { loadTask, taskOf } from '../src/tasks/registry.ts';
import type { Task } from '../src/tasks/task.ts';
import { setEvaluator } from '../src/trace/evaluate.ts';
import { install } from '../src/trace/install.ts';
import type { StepProgram } from '../src/trace/program.ts';
import { limitedUnits } from '../src/train/optimizers/max-norm.ts';
import type { Optimizer, OptimizerConfig } from '../src/train/optimizers/optimizers.ts';
import { createOptimizer } from '../src/train/optimizers/optimizers.ts';
import { byStateName, trainingProgram } from '../src/train/step/step.ts';
import { buildNet, MAX_BOXES } from './nets.ts';
import type { BenchNet } from './nets.ts';

export interface BenchStep {
  readonly program: StepProgram;
  /** What the `i`-th step is fed. */
  readonly feedsAt: (i: number) => Record<string, TensorData>;
}

/** A training step of a net, from a file where it is one, on random samples: cross entropy and, unless asked for another, Adam. */
export async function benchStep(
  name: string,
  net: BenchNet,
  batchSize: number,
  config: OptimizerConfig = { type: 'adam' },
  file?: string,
): Promise<BenchStep> {
  install();
  setEvaluator(evaluator);
  await tf.setBackend('limbeck');
  const network = file === undefined ? layersNetwork(buildNet(name)) : fileNetwork(file, net);
  const limited = { ...config, maxNorm: net.maxNorm };
  const optimizer = createOptimizer(limited, network.trainable, undefined, limitedUnits(network, limited));
  const loss =
    net.kind === 'vector'
      ? await createLoss('mse', { hyper: { alpha: 1 }, ofLabels: {}, answers: { width: net.classes, groups: 1 } })
      : await createLoss('ce');
  const task = await benchTask(net);
  const program =
    net.kind === 'pixels'
      ? pixelProgram(net, network, optimizer, batchSize)
      : trainingProgram({ task, network, loss, optimizer, batchSize, mix: task.trainsOn ?? 'none' });
  const hyper = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)] as const);
  const { labels, ...samples } = samplesOf(name, net, batchSize);
  // Trainings feed the shares of the classes in each cell, counted before the step.
  const targets =
    net.kind === 'mask'
      ? { targets: task.fed(labels as Int32Array, 'masks')['targets']! }
      : labels === undefined
        ? {}
        : { labels };
  const feeds = { ...samples, ...targets, ...(net.kind === 'pixels' ? {} : Object.fromEntries(hyper)) };
  return { program, feedsAt: (i) => ({ ...feeds, ...optimizer.feedValues(i, 1e-3) }) };
}

const TASK_NAMES = { labels: 'classification', mask: 'segmentation', boxes: 'detection', vector: 'embedding' } as const;

async function benchTask({ kind, classes, inputShape }: BenchNet): Promise<Task> {
  const task = TASK_NAMES[kind === 'pixels' ? 'labels' : kind];
  await loadTask(task);
  return taskOf({
    task,
    classNames: kind === 'vector' ? [] : Array.from({ length: classes }, (_, i) => String(i)),
    vector: { size: classes, prefixes: [] },
    sampleShape: inputShape,
    stride: 8,
    maxBoxes: MAX_BOXES,
  });
}

function fileNetwork(file: string, { inputShape, classes }: BenchNet): ModelNetwork {
  const options = { inputShape, classes, seed: 0, head: 'keep', freeze: [] } as const;
  return onnxNetwork(decodeModel(readFileSync(file), file), file, options);
}

/** Random samples by the name of the feed. Rows of tokens end in padding of random length. */
export function samplesOf(name: string, net: BenchNet, batch: number): Record<string, TensorData> {
  const random = new RandomStream('bench', name);
  const size = net.inputShape.reduce((a, b) => a * b, 1);
  const x = new Float32Array(batch * size);
  for (let i = 0; i < x.length; i++) {
    const length = size / 2 + Math.floor(((i - (i % size)) / size / batch) * (size / 2)) + 1;
    if (net.vocabulary === undefined) x[i] = random.normal();
    else if (i % size < length) x[i] = 1 + random.below(net.vocabulary - 1);
  }
  if (net.kind === 'pixels') return { x, mask: Float32Array.from(x, () => random.below(2)) };
  const weights = new Float32Array(batch).fill(1);
  if (net.kind === 'boxes') return { x, targets: boxRows(random, net.classes, batch), weights };
  if (net.kind === 'vector') {
    const vectors = Float32Array.from({ length: batch * net.classes }, () => random.normal());
    return { x, targets: vectors, teacherLogits: vectors, weights };
  }
  const each = net.kind === 'mask' ? net.inputShape[0]! * net.inputShape[1]! : 1;
  return { x, labels: Int32Array.from({ length: batch * each }, () => random.below(net.classes)), weights };
}

/** Targets [batch, width of a row] with 1 to `MAX_BOXES` boxes in a picture, of sides between a tenth and a half of the picture's. */
function boxRows(random: RandomStream, classes: number, batch: number): Float32Array {
  const width = boxesWidth(MAX_BOXES);
  const rows = new Float32Array(batch * width);
  for (let i = 0; i < batch; i++) {
    const boxes = Array.from({ length: 1 + random.below(MAX_BOXES) }, () => {
      const [w, h] = [0.1 + 0.4 * random.uniform(), 0.1 + 0.4 * random.uniform()];
      const [xmin, ymin] = [random.uniform() * (1 - w), random.uniform() * (1 - h)];
      const corners = { xmin, ymin, xmax: xmin + w, ymax: ymin + h };
      return { label: random.below(classes), ...corners, area: w * h, isIgnored: false };
    });
    writeBoxes(rows.subarray(i * width, (i + 1) * width), 1, boxes);
  }
  return rows;
}

function pixelProgram(net: BenchNet, network: ModelNetwork, optimizer: Optimizer, batch: number): StepProgram {
  const pixels = { dtype: 'float32', shape: [batch, ...net.inputShape] } as const;
  const [inputName] = Object.keys(network.inputs);
  return {
    feeds: { x: pixels, mask: pixels, ...optimizer.feeds },
    state: { ...network.state, ...optimizer.slots },
    run: ({ x, mask, ...feeds }) => {
      const { value, grads } = tf.variableGrads(() => {
        const { outputs } = network.forward({ [inputName!]: x! }, { training: true });
        return tf.losses.sigmoidCrossEntropy(mask!, outputs['logits']!);
      }, Object.values(network.trainable));
      optimizer.apply(byStateName(network.trainable, grads), feeds);
      return { loss: value };
    },
  };
}
