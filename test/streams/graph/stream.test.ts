import { GraphBuilder } from '../../../src/graph/builder.ts';
import { streamOf } from '../../../src/streams/graph/stream.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { useCpu } from '../../support/cpu.ts';
import * as nets from '../../support/streams.ts';

beforeAll(useCpu);

const BATCH = 2;

describe.each(nets.STREAM_NETS)('%s', (name) => {
  it('answers each hop as the window that ends with it, in the interpreter and in ONNX Runtime', async () => {
    const graph = nets.streamNet(name);
    const stream = streamOf(graph);
    const least = stream.perFrame.size > 0 ? 12 : stream.isWindowed ? 7 : 1;
    for (const stepper of [nets.interpreted, nets.inOnnxRuntime]) {
      const { error, hops } = await nets.besideWindows(graph, stream, BATCH, stepper(stream, BATCH));
      expect(error).toBeLessThan(1e-5);
      expect(hops).toBeGreaterThanOrEqual(least);
    }
  });
});

/** A graph over frames [batch, 8, 1, 2]. */
function graph(build: (b: GraphBuilder, x: string) => string): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', { dtype: 'float32', shape: ['batch', 8, 1, 2] });
  builder.output('y', build(builder, x));
  return builder.build();
}

const filter = (b: GraphBuilder, frames: number): string =>
  b.constant(
    { dtype: 'float32', shape: [frames, 1, 2, 2] },
    Float32Array.from({ length: 4 * frames }, (_, i) => (i % 5) - 2),
  );

function conv(b: GraphBuilder, x: string, name: string, frames: number, pads: [number, number], dilation = 1): string {
  const attrs = { strides: [1, 1], dilations: [dilation, 1], pads: [...pads, 0, 0] };
  return b.op('Conv2D', [x, filter(b, frames)], attrs, name);
}

const mean = (b: GraphBuilder, x: string): string => b.op('Mean', [x], { axes: [1, 2], keepDims: false }, 'pool');

describe('a layer that looks ahead', () => {
  it('is refused by its name: a convolution that pads both ends', () => {
    const ahead = graph((b, x) => mean(b, conv(b, conv(b, x, 'stem', 3, [2, 0]), 'block/same', 3, [1, 1])));
    expect(() => streamOf(ahead)).toThrow(
      'no stream: layer block/same looks ahead: its last frame needs input that follows',
    );
  });

  it('is refused by its name: a factor for each channel from the mean of the window', () => {
    const ahead = graph((b, x) => {
      const all = b.op('Mean', [x], { axes: [1], keepDims: true }, 'squeeze');
      return mean(b, b.op('Multiply', [x, all], {}, 'excite'));
    });
    expect(() => streamOf(ahead)).toThrow(
      'layer excite looks ahead: it changes each frame by a value of the whole window',
    );
  });

  it('is refused by its name: attention, weights for each place', () => {
    const attention = graph((b, x) => {
      const rows = b.op('Reshape', [x], { shape: ['batch', 8, 2] });
      return b.op('BatchMatMul', [rows, rows], { transposeA: false, transposeB: true }, 'scores');
    });
    expect(() => streamOf(attention)).toThrow('layer scores looks ahead: it compares all frames of a window');
    const placed = graph((b, x) => {
      const places = b.constant({ dtype: 'float32', shape: [8, 1, 2] }, new Float32Array(16).fill(1));
      return mean(b, b.op('Add', [x, places], {}, 'positions'));
    });
    expect(() => streamOf(placed)).toThrow('layer positions treats a frame by its place in the window');
  });
});

it('takes padding at both ends whose end is cut off again, as PyTorch nets do', async () => {
  const chomped = graph((b, x) => {
    const y = conv(b, x, 'conv', 3, [4, 4], 2);
    const cut = b.op('Slice', [b.op('Relu', [y])], { begin: [0, 0, 0, 0], size: [-1, 8, 1, 2] }, 'chomp');
    return mean(b, cut);
  });
  const stream = streamOf(chomped);
  expect([...stream.graph.state].map(([name, { shape }]) => [name, shape])).toEqual([
    ['past/conv', ['batch', 4, 1, 2]],
    ['past/pool', ['batch', 7, 1, 2]],
  ]);
  const { error } = await nets.besideWindows(chomped, stream, BATCH, nets.interpreted(stream, BATCH));
  expect(error).toBeLessThan(1e-5);
});

it('refuses zeros before frames that layers without padding made later', () => {
  const late = graph((b, x) => mean(b, conv(b, conv(b, x, 'stem', 3, [0, 0]), 'block', 3, [2, 0])));
  expect(() => streamOf(late)).toThrow("layer block begins with frames that come later than the input's");
});

it('refuses a recurrent layer that begins with the last frame', () => {
  const backwards = nets.netOf([8, 2], (x) => nets.recurrent({ units: 3, goBackwards: true })(x), 'backwards');
  expect(() => streamOf(backwards)).toThrow('no stream: layer lstm looks ahead');
});
