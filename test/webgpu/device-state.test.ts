import * as tf from '@tensorflow/tfjs-core';
import { buildNet, inputShapeOf } from '../../bench/nets.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../support/losses.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import type { CompiledStep, State } from '../../src/runtime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { DeviceStore } from '../../src/runtime/onnxruntime/device-store.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { ortTensor } from '../../src/runtime/onnxruntime/session.ts';
import { setEvaluator } from '../../src/trace/evaluate.ts';
import { install } from '../../src/trace/install.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { evaluationProgram } from '../../src/train/evaluate/inference.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { trainingProgram } from '../../src/train/step/step.ts';

const BATCH = 8;

beforeAll(async () => {
  install();
  setEvaluator(evaluator);
  await tf.setBackend('limbeck');
});

const engine = createOnnxRuntimeEngine({ device: 'webgpu' });

function bytesOf(state: State): number {
  return [...state.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** A step of a small net, and its feeds for call `i`. */
async function training(): Promise<{
  model: ReturnType<typeof buildNet>;
  step: CompiledStep;
  feeds: (i: number) => Parameters<CompiledStep['run']>[0];
}> {
  const model = buildNet('mlp');
  const optimizer = createOptimizer({ type: 'adam' }, layersNetwork(model).trainable);
  const step = await engine.compile(
    trainingProgram({
      task: classification(10),
      network: layersNetwork(model),
      loss: createLoss('ce'),
      optimizer,
      batchSize: BATCH,
    }),
  );
  const size = BATCH * inputShapeOf('mlp').reduce((a, b) => a * b, 1);
  const feeds = (i: number): Parameters<CompiledStep['run']>[0] => {
    const random = new RandomStream('device state', i);
    return {
      x: Float32Array.from({ length: size }, () => random.normal()),
      labels: Int32Array.from({ length: BATCH }, () => random.below(10)),
      weights: new Float32Array(BATCH).fill(1),
      'hyper/labelSmoothing': Float32Array.of(0),
      ...optimizer.feedValues(i, 1e-3),
    };
  };
  return { model, step, feeds };
}

it('moves the state to the device once, and back when it is read, whatever the number of steps', async () => {
  const before = engine.traffic!;
  const { step, feeds, model } = await training();
  for (let i = 0; i < 6; i++) await step.run(feeds(i));
  const during = engine.traffic!;
  expect(during.calls - before.calls).toBe(6);
  expect(during.stateMoves - before.stateMoves).toBe(1);
  const state = await step.state();
  expect(during.stateBytes - before.stateBytes).toBe(bytesOf(state));
  const fed = Object.values(feeds(0)).reduce((sum, { byteLength }) => sum + byteLength, 0);
  // Loss and hits come back, also the parts of the loss.
  const results = [...step.outputs.values()].length * 4;
  expect(during.dataBytes - before.dataBytes).toBe(6 * (fed + results));
  expect(engine.traffic!.stateMoves - during.stateMoves).toBe(1);
  expect(engine.traffic!.stateBytes - during.stateBytes).toBe(bytesOf(state));

  // An evaluation of the same weights reads them where they are.
  const evaluation = await engine.compile(
    evaluationProgram({ task: classification(10), network: layersNetwork(model), batchSize: BATCH }),
    {
      shareStateWith: step,
    },
  );
  const { x, labels, weights } = feeds(0);
  const moves = engine.traffic!.stateMoves;
  await evaluation.run({ x: x!, labels: labels!, weights: weights! });
  expect(engine.traffic!.stateMoves).toBe(moves);
  await Promise.all([evaluation.dispose(), step.dispose()]);
}, 120_000);

it('computes the same bits as when the state is taken out and put back after every step', async () => {
  const { step, feeds } = await training();
  const initial = await step.state();
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push(Number((await step.run(feeds(i))).loss![0]));
  const stayed = await step.state();
  await step.load(initial);
  for (let i = 0; i < 4; i++) {
    expect(Number((await step.run(feeds(i))).loss![0])).toBe(losses[i]);
    await step.load(await step.state());
  }
  expect(new Set(losses).size).toBe(4);
  expect(await step.state()).toEqual(stayed);
  expect(stayed).not.toEqual(initial);
  await step.dispose();
}, 120_000);

it('keeps variables that were loaded apart from the rest', async () => {
  const { step, feeds } = await training();
  await step.run(feeds(0));
  const [name, { type, data }] = [...(await step.state())][0]!;
  const zeros = (data as Float32Array).map(() => 0);
  await step.load(new Map([[name, { type, data: zeros }]]));
  const state = await step.state();
  expect(state.get(name)!.data).toEqual(zeros);
  expect([...state.values()].filter(({ data: values }) => values.some((value) => value !== 0)).length).toBeGreaterThan(
    1,
  );
  await expect(step.load(new Map([['nothing', { type, data: zeros }]]))).rejects.toThrow('nothing');
  await step.dispose();
}, 120_000);

it('refuses a result that a call left in host memory: it would go over and back at every step', () => {
  const type = { dtype: 'float32', shape: [2] } as const;
  const store = new DeviceStore(sessionOptions('webgpu', {})).open();
  store.declare('w', type, () => Float32Array.of(1, 2));
  expect(store.current('w').location).toBe('gpu-buffer');
  expect(() => store.advance('w', ortTensor('float32', Float32Array.of(3, 4), [2]))).toThrow(
    'variable w: expected a result in gpu-buffer, received one in cpu',
  );
  expect([...store.read(['w']).get('w')!.data]).toEqual([1, 2]);
  store.close();
});
