import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../../support/losses.ts';
import { bytesOf, sha256 } from '../../../../src/base/bytes.ts';
import { RandomStream } from '../../../../src/base/random.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { buildModel } from '../../../../src/networks/models/registry.ts';
import { layersNetwork } from '../../../../src/networks/layers/layers.ts';
import type { State } from '../../../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../../../src/runtime/onnxruntime/engine.ts';
import { traceProgram } from '../../../../src/trace/trace.ts';
import { createOptimizer } from '../../../../src/train/optimizers/optimizers.ts';
import { predictionProgram } from '../../../../src/train/evaluate/inference.ts';
import { trainingProgram } from '../../../../src/train/step/step.ts';
import { SMALL_NET_NAMES, buildNet, inputShapeOf } from '../../../../bench/nets.ts';
import { useCpu } from '../../../support/cpu.ts';
import { classification } from '../../../../src/answers/classes/task.ts';
import { describeBlocked } from './harness.ts';

beforeAll(useCpu);

interface Trained {
  readonly losses: readonly number[];
  readonly state: State;
}

type Model = ReturnType<typeof buildNet>;

async function train(
  model: Model,
  inputShape: readonly number[],
  batchSize: number,
  blocked: boolean,
  { threads = 1, steps = 3 } = {},
): Promise<Trained> {
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'momentum' }, layersNetwork(model).trainable);
  const program = trainingProgram({
    task: classification(10),
    network: layersNetwork(model),
    loss,
    optimizer,
    batchSize,
  });
  const step = await createOnnxRuntimeEngine({ device: 'cpu', threads, blocked }).compile(program);
  const random = new RandomStream('blocked steps');
  const size = inputShape.reduce((product, dim) => product * dim, batchSize);
  const hyper = Object.fromEntries(
    Object.entries(loss.hyper).map(([name, value]) => [`hyper/${name}`, Float32Array.of(value)]),
  );
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const results = await step.run({
      x: Float32Array.from({ length: size }, () => random.normal()),
      labels: Int32Array.from({ length: batchSize }, () => random.below(10)),
      weights: new Float32Array(batchSize).fill(1),
      ...hyper,
      ...optimizer.feedValues(i, 0.01),
    });
    losses.push(results.loss![0] as number);
  }
  const state = await step.state();
  await step.dispose();
  return { losses, state };
}

/** Repeatable weights: which activations lie so close to 0 that rounding decides about their gradient is then, too. */
function seeded(net: string): Model {
  const model = buildNet(net);
  const random = new RandomStream('blocked weights', net);
  for (const variable of Object.values(layersNetwork(model).trainable)) {
    if (variable.rank < 2) continue;
    const scale = Math.sqrt(2 / variable.shape.slice(0, -1).reduce((product, dim) => product * dim, 1));
    const values = Float32Array.from({ length: variable.size }, () => random.normal() * scale);
    variable.assign(tf.tensor(values, variable.shape));
  }
  return model;
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** Per variable and slot, sorted: the length of the difference against its own. */
function differences(one: State, other: State): number[] {
  const parts = [...one].map(([name, { data }]) => {
    const [a, b] = [data, other.get(name)!.data].map((values) => Array.from(values as Float32Array));
    return norm(a!.map((value, i) => value - b![i]!)) / Math.max(1e-3, norm(a!));
  });
  return parts.sort((x, y) => x - y);
}

function expectSameBytes(one: Trained, other: Trained): void {
  expect(one.losses).toEqual(other.losses);
  const digest = ({ state }: Trained): string[] =>
    [...state].map(([name, { data }]) => `${name} ${sha256(bytesOf(data))}`);
  expect(digest(one)).toEqual(digest(other));
}

describeBlocked('training steps in blocks', () => {
  it.each(
    SMALL_NET_NAMES.flatMap((net) =>
      (net === 'cnn-bn' ? [16, 7] : [16]).map((batch): [string, number] => [net, batch]),
    ),
  )('%s, batch %d: as without blocks, and the same bytes twice', async (net, batch) => {
    const model = seeded(net);
    const plain = await train(model, inputShapeOf(net), batch, false);
    const blocked = await train(model, inputShapeOf(net), batch, true);
    const again = await train(model, inputShapeOf(net), batch, true);
    blocked.losses.forEach((loss, i) => expect(Math.abs(loss / plain.losses[i]! - 1)).toBeLessThan(1e-4));
    expect(differences(plain.state, blocked.state).at(-1)).toBeLessThan(1e-3);
    expectSameBytes(again, blocked);
  });

  it('gives the same bytes twice on two threads', async () => {
    const model = buildNet('resnet8');
    const once = (): Promise<Trained> => train(model, [28, 28, 1], 16, true, { threads: 2 });
    expectSameBytes(await once(), await once());
  });

  // One step: over more of them batch norms of few values make chaos of any rounding, that of the plain lowering as well.
  it.each([
    ['mobilenet-v1', { alpha: 0.25 }],
    ['mobilenet-v2', { alpha: 0.25 }],
    ['wide-resnet', { depth: 10, width: 1 }],
    ['vgg', { width: 0.25 }],
    ['ds-cnn', { width: 0.5 }],
    ['lenet', {}],
  ])('one step of %s is as without blocks', async (name, options) => {
    const inputShape = [16, 16, 3];
    const model = buildModel(name, { inputShape, classes: 10, seed: 1, options });
    const plain = await train(model, inputShape, 12, false, { steps: 1 });
    const blocked = await train(model, inputShape, 12, true, { steps: 1 });
    expect(Math.abs(blocked.losses[0]! / plain.losses[0]! - 1)).toBeLessThan(1e-5);
    const all = differences(plain.state, blocked.state);
    expect(all[all.length >> 1]).toBeLessThan(1e-4);
  });
});

it.each(SMALL_NET_NAMES)('a file of %s knows nothing of blocks', (net) => {
  const model = buildNet(net);
  const { graph, opsets } = lowerToOnnx(
    traceProgram(predictionProgram({ network: layersNetwork(model), batchSize: 4 })),
  );
  expect([...opsets.keys()]).toEqual(['']);
  expect(graph.nodes.filter(({ domain }) => domain !== '')).toEqual([]);
});
