import * as tf from '@tensorflow/tfjs-core';
import type { TensorData } from '../../src/graph/types.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useCpu } from '../support/cpu.ts';
import { eagerEngine } from '../support/eager-engine.ts';
import { expectSame, setups, trained, type Setup } from '../support/trainings.ts';

beforeAll(useCpu);

/** tfjs' cpu convolutions are slow: nets that have them take fewer steps. */
const stepsOf = ({ inputShape }: Setup): number => (inputShape.length === 3 ? 4 : 20);

describe('steps in ONNX Runtime agree with tfjs to 1e-4', () => {
  it.each(Object.keys(setups))('%s', async (name) => {
    const setup = setups[name]!;
    const expected = await trained(setup, eagerEngine, stepsOf(setup));
    const actual = await trained(setup, createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }), stepsOf(setup));
    await tf.setBackend('cpu');
    expectSame(actual, expected);
  });
});

it('gives the same bytes twice', async () => {
  const run = async (): Promise<TensorData[]> => {
    const { state } = await trained(setups['ds-cnn, kd']!, createOnnxRuntimeEngine({ device: 'cpu' }), 4);
    return [...state.values()].map(({ data }) => data.slice());
  };
  expect(await run()).toEqual(await run());
});
