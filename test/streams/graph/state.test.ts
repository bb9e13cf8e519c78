import { onnxGraph } from '../../../src/ship/convert/source.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import { streamOf } from '../../../src/streams/graph/stream.ts';
import { size, stored } from '../../support/onnx-cases/recurrent.ts';
import { floats, ints, modelOf } from '../../support/onnx-steps.ts';
import type { Step } from '../../support/onnx-steps.ts';

const STEPS = 6;

/** The last answer of a recurrent layer over six frames of three numbers, one sequence at a time. */
function last(op: string, weights: readonly string[], state: readonly string[] = []): ReturnType<typeof streamOf> {
  const steps: Step[] = [
    ['Transpose', ['x'], { perm: [1, 0, 2] }],
    [op, ['y0', ...weights, '', ...state], size],
    ['Squeeze', ['y1', 'middle']],
    ['Transpose', ['y2'], { perm: [1, 0, 2] }],
    ['Gather', ['y3', 'minus'], { axis: 1 }],
  ];
  const given = { ...stored, middle: ints(1), learned: floats(1, 1, 5), nothing: tensor('', 'float32', [1, 1, 5], new Float32Array(5)) }; // prettier-ignore
  return streamOf(onnxGraph(modelOf([1, STEPS, 3], given, steps), 'm.onnx').graph);
}

it.each([
  ['GRU', ['wg', 'rg', 'bg'], 1],
  ['LSTM', ['wl', 'rl', 'bl'], 2],
] as const)('keeps the state of a file: %s', (op, weights, states) => {
  expect(last(op, weights).graph.state.size).toBe(states);
  expect(last(op, weights, new Array<string>(states).fill('nothing')).graph.state.size).toBe(states);
});

it.each([
  ['GRU', ['wg', 'rg', 'bg'], ['learned']],
  ['LSTM', ['wl', 'rl', 'bl'], ['learned', 'nothing']],
  ['LSTM', ['wl', 'rl', 'bl'], ['nothing', 'learned']],
] as const)('refuses a %s that begins with a learned state: %s %s', (op, weights, state) => {
  expect(() => last(op, weights, state)).toThrow(
    /^no stream: .* begins with a state that was learned; expected zeros$/,
  );
});
