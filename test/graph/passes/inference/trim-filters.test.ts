import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../../src/base/random.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { trimFilters } from '../../../../src/graph/passes/inference/trim-filters.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { interpret } from '../../../../src/trace/interpret/interpret.ts';
import { useCpu } from '../../../support/cpu.ts';
import { numbers } from '../../../support/graphs.ts';

beforeAll(useCpu);

interface Window {
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  /** Top, bottom, left, right. */
  readonly pads?: readonly number[];
}

const CHANNELS = 2;

function graphOf(
  op: string,
  { size, kernel, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0] }: Window,
): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', { dtype: 'float32', shape: [2, ...size, CHANNELS] });
  const shape = [...kernel, CHANNELS, op === 'Conv2D' ? 3 : 1];
  const count = shape.reduce((product, dim) => product * dim, 1);
  const w = builder.constant({ dtype: 'float32', shape }, numbers(count, 'w'), 'w');
  builder.output('y', builder.op(op, [x, w], { strides, dilations, pads }, 'layer'));
  return builder.build();
}

function answers(graph: Graph, size: readonly [number, number]): number[] {
  const x = tf.tensor4d(numbers(2 * size[0] * size[1] * CHANNELS, 'x'), [2, ...size, CHANNELS]);
  return [...interpret(graph, { x }).outputs['y']!.dataSync()];
}

const around = (amount: number): number[] => [amount, amount, amount, amount];

describe.each(['Conv2D', 'DepthwiseConv2dNative'])('filters of %s', (op) => {
  it.each<[string, Window, number[]]>([
    ['a single pixel', { size: [1, 1], kernel: [3, 3], pads: around(1) }, [1, 1]],
    ['four pixels in one stride', { size: [2, 2], kernel: [3, 3], strides: [2, 2], pads: around(1) }, [2, 2]],
    ['a row of pixels', { size: [1, 5], kernel: [3, 3], pads: around(1) }, [1, 3]],
    ['less than the filter reaches', { size: [2, 2], kernel: [5, 5], pads: around(2) }, [3, 3]],
    ['a dilated filter', { size: [2, 2], kernel: [3, 3], dilations: [2, 2], pads: around(2) }, [1, 1]],
    ['enough pixels', { size: [3, 3], kernel: [3, 3], pads: around(1) }, [3, 3]],
  ])('lose what only meets padding: %s', (_, window, kernel) => {
    const graph = graphOf(op, window);
    const { graph: trimmed, filters } = trimFilters(graph);
    expect(trimmed.constants.get('w')!.type.shape.slice(0, 2)).toEqual(kernel);
    expect(filters).toEqual(
      kernel.join() === window.kernel.join() ? [] : [{ layer: 'layer', from: window.kernel, to: kernel }],
    );
    expect(answers(trimmed, window.size)).toEqual(answers(graph, window.size));
  });

  it('give the same answers whatever their windows are', () => {
    const random = new RandomStream('trim-filters', op);
    const upTo = (most: number): number => 1 + random.below(most);
    let smaller = 0;
    for (let i = 0; i < 150; i++) {
      const kernel = [upTo(5), upTo(5)] as const;
      const dilations = random.below(3) === 0 ? [2, 2] : [1, 1];
      const strides = dilations[0] === 2 ? [1, 1] : [upTo(3), upTo(3)];
      const pads = Array.from({ length: 4 }, () => random.below(4));
      const size = [upTo(4), upTo(4)] as const;
      const window = { size, kernel, dilations, strides, pads };
      const fits = [0, 1].every((a) => size[a]! + pads[2 * a]! + pads[2 * a + 1]! > (kernel[a]! - 1) * dilations[a]!);
      if (!fits) continue;
      const graph = graphOf(op, window);
      const { graph: trimmed, filters } = trimFilters(graph);
      smaller += filters.length;
      expect(answers(trimmed, size)).toEqual(answers(graph, size));
    }
    expect(smaller).toBeGreaterThan(30);
  });
});

it('a filter that two layers read stays', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', { dtype: 'float32', shape: [2, 1, 1, 2] });
  const w = builder.constant({ dtype: 'float32', shape: [3, 3, 2, 2] }, numbers(36, 'w'), 'w');
  const window = { strides: [1, 1], dilations: [1, 1], pads: around(1) };
  builder.output('y', builder.op('Conv2D', [builder.op('Conv2D', [x, w], window), w], window));
  const graph = builder.build();
  expect(trimFilters(graph)).toEqual({ graph, filters: [] });
});
