import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { foldPads } from '../../../../src/graph/passes/inference/fold-pads.ts';
import type { Graph } from '../../../../src/graph/types.ts';

const window = { strides: [2, 2], dilations: [1, 1], pads: [0, 1, 0, 0] };
const float = (...shape: number[]): { dtype: 'float32'; shape: number[] } => ({ dtype: 'float32', shape });

function folded(build: (b: GraphBuilder) => string): Graph {
  const b = new GraphBuilder();
  b.output('y', build(b));
  return foldPads(b.build());
}

const ops = ({ nodes }: Graph): string[] => nodes.map(({ op }) => op);

describe('zeros around a picture', () => {
  const paddings = [0, 0, 1, 2, 3, 0, 0, 0];

  it.each([
    ['Conv2D', [3, 3, 4, 8], {}],
    ['DepthwiseConv2dNative', [3, 3, 4, 1], {}],
  ])('become the padding of %s', (op, filter) => {
    const graph = folded((b) => {
      const pad = b.op('Pad', [b.input('x', float(2, 6, 6, 4))], { paddings, constantValue: 0 });
      return b.op(op, [pad, b.input('w', float(...filter))], window);
    });
    expect(ops(graph)).toEqual([op]);
    expect(graph.nodes[0]!.attrs.pads).toEqual([1, 3, 3, 0]);
    expect(graph.nodes[0]!.inputs).toEqual(['x', 'w']);
    expect(graph.types.get(graph.outputs.get('y')!)!.shape.slice(1, 3)).toEqual([4, 4]);
  });

  it('become that of the gradient of the filter', () => {
    const graph = folded((b) => {
      const pad = b.op('Pad', [b.input('x', float(2, 6, 6, 4))], { paddings, constantValue: 0 });
      return b.op('Conv2DBackpropFilter', [pad, b.input('dy', float(2, 4, 4, 8))], {
        ...window,
        filterShape: [3, 3, 4, 8],
      });
    });
    expect(ops(graph)).toEqual(['Conv2DBackpropFilter']);
    expect(graph.nodes[0]!.attrs.pads).toEqual([1, 3, 3, 0]);
  });

  it('that are cut off a gradient again are not computed', () => {
    const graph = folded((b) => {
      const dy = b.input('dy', float(2, 4, 4, 8));
      const inputShape = [2, 9, 9, 4];
      const dx = b.op('Conv2DBackpropInput', [dy, b.input('w', float(3, 3, 4, 8))], { ...window, inputShape });
      return b.op('Slice', [dx], { begin: [0, 1, 3, 0], size: [-1, 6, 6, -1] });
    });
    expect(ops(graph)).toEqual(['Conv2DBackpropInput']);
    expect(graph.nodes[0]!.attrs).toMatchObject({ pads: [1, 3, 3, 0], inputShape: [2, 6, 6, 4] });
  });

  it.each([
    ['ones', paddings, 1],
    ['zero channels', [0, 0, 0, 0, 0, 0, 0, 4], 0],
    ['zero samples', [1, 0, 0, 0, 0, 0, 0, 0], 0],
  ])('stay if they are %s', (_, around, constantValue) => {
    const graph = folded((b) => {
      const pad = b.op('Pad', [b.input('x', float(2, 6, 6, 4))], { paddings: around, constantValue });
      const channels = 4 + around[7]!;
      return b.op('Conv2D', [pad, b.input('w', float(3, 3, channels, 8))], window);
    });
    expect(ops(graph)).toEqual(['Pad', 'Conv2D']);
  });
});
