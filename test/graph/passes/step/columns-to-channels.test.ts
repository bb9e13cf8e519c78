import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { columnsToChannels } from '../../../../src/graph/passes/step/columns-to-channels.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { useCpu } from '../../../support/cpu.ts';
import { expectSameResults, numbers } from '../../../support/graphs.ts';

beforeAll(useCpu);

interface Layer {
  /** Height and width. */
  readonly size?: readonly [number, number];
  readonly kernel?: readonly [number, number];
  readonly channels?: number;
  readonly filters?: number;
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  /** Top, bottom, left, right. */
  readonly pads?: readonly number[];
}

/** A convolution with a bias and a ReLU, whose result is read twice. */
function graphOf(layer: Layer): Graph {
  const { size = [5, 8], kernel = [3, 3], channels = 1, filters = 16 } = layer;
  const { strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1] } = layer;
  const b = new GraphBuilder();
  const constant = (name: string, shape: number[]): string => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    return b.constant({ dtype: 'float32', shape }, numbers(count, name), name);
  };
  const x = b.input('x', { dtype: 'float32', shape: [2, ...size, channels] });
  const conv = b.op('Conv2D', [x, constant('w', [...kernel, channels, filters])], { strides, dilations, pads });
  const y = b.op('Relu', [b.op('Add', [constant('bias', [filters]), conv])]);
  b.output('y', y);
  b.output('mean', b.op('Mean', [y], { axes: [1, 2], keepDims: false }));
  return b.build();
}

/** Channels that the convolution of a graph reads. */
function channelsRead(graph: Graph): unknown {
  const { inputs } = graph.nodes.find(({ op }) => op === 'Conv2D')!;
  return graph.types.get(inputs[0]!)!.shape[3];
}

const all = (): boolean => true;

describe('columns of what a convolution reads, as channels', () => {
  it.each<[string, Layer, number]>([
    ['a picture of one channel', {}, 4],
    ['of three', { channels: 3 }, 12],
    ['of two', { channels: 2 }, 4],
    ['of six, two columns', { channels: 6, filters: 8 }, 12],
    ['with a filter of five', { kernel: [5, 5], pads: [2, 2, 2, 2] }, 4],
    ['with a filter wider than the block', { kernel: [1, 7], pads: [0, 0, 3, 3] }, 4],
    ['with a column of taps', { kernel: [3, 1], pads: [1, 1, 0, 0] }, 4],
    ['with few filters', { filters: 4 }, 4],
    ['with a stride, padded on both sides', { channels: 3, strides: [2, 2] }, 12],
    ['with a stride, padded behind alone', { channels: 3, strides: [2, 2], pads: [1, 1, 0, 1] }, 12],
    ['with more padding before than behind', { pads: [0, 2, 2, 0] }, 4],
    ['with rows far apart', { dilations: [2, 1], pads: [2, 2, 1, 1] }, 4],
    ['with few filters and a stride of 4', { strides: [1, 4], kernel: [3, 4], pads: [1, 1, 0, 0], filters: 8 }, 8],
  ])('leave the answers the same: %s', (_, layer, channels) => {
    const graph = graphOf(layer);
    const { graph: regrouped } = columnsToChannels(graph, all);
    expect(channelsRead(regrouped)).toBe(channels);
    expectSameResults(regrouped, graph, 1e-6);
  });

  it.each<[string, Layer]>([
    ['as many channels as the kernels read', { channels: 4 }],
    ['a width that no block divides', { size: [5, 6], channels: 1 }],
    ['fewer results than columns', { pads: [1, 1, 0, 0] }],
    ['a filter of one pixel', { kernel: [1, 1], pads: [0, 0, 0, 0] }],
    ['taps far apart', { dilations: [1, 2], pads: [1, 1, 2, 2] }],
    ['many filters, for which the zeros cost more than they save', { channels: 3, filters: 64 }],
    ['results that are no multiple of eight', { size: [5, 12], filters: 5 }],
  ])('stay with %s', (_, layer) => {
    const graph = graphOf(layer);
    expect(columnsToChannels(graph, all).graph).toBe(graph);
  });

  it('stay where they are not wanted', () => {
    const graph = graphOf({});
    const asked: string[][] = [];
    const { graph: same } = columnsToChannels(graph, (chain) => {
      asked.push(chain.map(({ op }) => op));
      return false;
    });
    expect(same).toBe(graph);
    expect(asked).toEqual([['Conv2D', 'Add', 'Relu']]);
  });

  it('say what each new value and constant holds', () => {
    const graph = graphOf({});
    const { graph: regrouped, held } = columnsToChannels(graph, all);
    const [conv, add, relu] = graph.nodes.map(({ outputs }) => outputs[0]!);
    expect([...held.values()]).toEqual([
      { name: 'x', copies: 1 },
      { name: 'w', copies: 4 },
      { name: conv, copies: 1 },
      { name: 'bias', copies: 4 },
      { name: add, copies: 1 },
      { name: relu, copies: 1 },
    ]);
    for (const name of held.keys()) expect(regrouped.types.has(name)).toBe(true);
  });
});
