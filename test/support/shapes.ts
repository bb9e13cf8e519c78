import { zipSync } from 'fflate';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { RandomStream } from '../../src/base/random.ts';
import { npyBytes } from './npy.ts';

export const SIZE = 32;
export const SHAPES = ['ground', 'disc', 'square'];
const COLOURS = [
  [40, 60, 200],
  [200, 60, 40],
  [60, 200, 40],
] as const;

/** Noisy pictures of a disc and a square on a ground, and the masks of both; a border of the masks has no class. */
export function shapesArchive(count: number, seed: string): Uint8Array {
  const random = new RandomStream(seed);
  const pictures = new Uint8Array(count * SIZE * SIZE * 3);
  const masks = new Uint8Array(count * SIZE * SIZE);
  for (let n = 0; n < count; n++) {
    const placed = [1, 2].map((kind) => ({
      ...{ kind, x: 8 + random.below(16), y: 8 + random.below(16), r: 4 + random.below(5) },
    }));
    for (let y = 0; y < SIZE; y++)
      for (let x = 0; x < SIZE; x++) {
        const at = (n * SIZE + y) * SIZE + x;
        const inside = placed.findLast(({ kind, r, ...c }) => {
          const [dx, dy] = [Math.abs(x - c.x), Math.abs(y - c.y)];
          return kind === 1 ? dx * dx + dy * dy < r * r : dx < r && dy < r;
        });
        const kind = inside?.kind ?? 0;
        masks[at] = y === 0 ? 255 : kind;
        for (let c = 0; c < 3; c++)
          pictures[3 * at + c] = Math.max(0, Math.min(255, COLOURS[kind]![c]! + random.below(80) - 40));
      }
  }
  return zipSync({
    'x.npy': npyBytes([count, SIZE, SIZE, 3], pictures),
    'y.npy': npyBytes([count, SIZE, SIZE], masks),
  });
}

/**
 * An ONNX file that tells the shapes by the colour of each pixel of [0, 1]: logits [n, classes, SIZE, SIZE], channels first. With metadata they are
 * channels last, as files of runs have them.
 */
export function colourSegmenter(metadata?: Readonly<Record<string, string>>): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', SIZE, SIZE, 3] });
  // -|colour - own|², without what all classes share: 2 colour · own - |own|².
  const own = COLOURS.map((colour) => colour.map((value) => value / 255));
  const filter = Float32Array.from([0, 1, 2].flatMap((c) => own.map((colour) => 20 * colour[c]!)));
  const w = b.constant({ dtype: 'float32', shape: [1, 1, 3, 3] }, filter);
  const bias = Float32Array.from(own, (colour) => -10 * colour.reduce((sum, value) => sum + value * value, 0));
  const y = b.op('Add', [
    b.op('Conv2D', [x, w], { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }),
    b.constant({ dtype: 'float32', shape: [3] }, bias),
  ]);
  if (metadata !== undefined) {
    b.output('logits', y);
    return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(Object.entries(metadata)) }));
  }
  b.output('scores', b.op('Transpose', [y], { perm: [0, 3, 1, 2] }));
  return encodeModel(lowerToOnnx(b.build()));
}
