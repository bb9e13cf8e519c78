import { graphOf } from '../../graph/builder.ts';
import type { Constant, Node } from '../../graph/types.ts';
import { ANSWERS_LAYER } from '../../ship/answer-ending.ts';
import type { Ending } from '../../ship/answer-ending.ts';
import type { Task } from '../../tasks/task.ts';
import { decodedPoints, DECODED_WIDTH, peakOf } from './simcc.ts';

const named = (name: string): string => `${ANSWERS_LAYER}/${name}`;
const node = (name: string, op: string, inputs: readonly string[], attrs: Node['attrs'] = {}): Node => ({
  op,
  inputs,
  attrs,
  layer: ANSWERS_LAYER,
  outputs: [named(name)],
});
const scalar = (name: string, value: number): readonly [string, Constant] => [
  named(name),
  { type: { dtype: 'float32', shape: [] }, data: Float32Array.of(value) },
];

function binsIn({ names, width }: Pick<Task, 'names' | 'width'>): number {
  return width / names.length / 2;
}

/** Points [batch, points, 3] as `decodedPoints` has them, computed in float behind the logits. */
export const ending: Ending = {
  graphOf: (graph, task) => {
    const [logits] = graph.outputs.values();
    const bins = binsIn(task);
    const count = task.names.length;
    const constants = [
      scalar('half', 0.5),
      scalar('share', 1 / bins),
      scalar('sharpness', 1 / peakOf(bins)),
      scalar('one', 1),
    ];
    const nodes = [
      node('rows', 'Reshape', [logits!], { shape: ['batch', count, 2, bins] }),
      node('best', 'ArgMax', [named('rows')], { axis: 3 }),
      node('index', 'Cast', [named('best')], { dtype: 'float32' }),
      node('middle', 'Add', [named('index'), named('half')]),
      node('places', 'Multiply', [named('middle'), named('share')]),
      node('probabilities', 'Softmax', [named('rows')], { axis: 3 }),
      node('largest', 'Max', [named('probabilities')], { axes: [3], keepDims: false }),
      node('sharp', 'Multiply', [named('largest'), named('sharpness')]),
      node('capped', 'Minimum', [named('sharp'), named('one')]),
      node('scores', 'Min', [named('capped')], { axes: [2], keepDims: true }),
      node('points', 'Concat', [named('places'), named('scores')], { axis: 2 }),
    ];
    return graphOf({
      ...graph,
      constants: new Map([...graph.constants, ...constants]),
      nodes: [...graph.nodes, ...nodes],
      outputs: new Map([['points', named('points')]]),
    });
  },
  compared: (given, other, n, task) => {
    const [[logits], [actual]] = [Object.values(given), Object.values(other)];
    const bins = binsIn(task);
    const data = Float64Array.from(decodedPoints(logits!.data as Float32Array, bins));
    const shape = [n, data.length / n];
    const places = actual!.data;
    const isSame = (i: number): boolean => Math.abs(data[i]! - places[i]!) * bins < 0.5;
    return {
      expected: { data, shape, isInteger: false },
      actual: { ...actual!, shape },
      alike: Array.from(
        { length: data.length / DECODED_WIDTH },
        (_, k) => isSame(k * DECODED_WIDTH) && isSame(k * DECODED_WIDTH + 1),
      ),
    };
  },
};
