import { describeTflite } from '../../../src/formats/tflite/describe/describe.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { writeTflite } from '../../../src/formats/tflite/write.ts';
import { PLAIN, pruned } from './pruned.ts';
import { exported, expectClose, floats, operators, randomFeeds, reference, run, sketch } from './support.ts';

// Indices of 8 bits, and of 16.
it.each([40, 300])(
  'a filter of mostly zeros is stored by what is left, and computes the same: %i channels',
  async (depth) => {
    const graph = pruned(depth);
    const [dense, sparse] = [exported(graph), exported(graph, { sparse: true })];
    expect(operators(sparse)).toEqual(['DENSIFY', ...operators(dense)]);
    const [whole, left] = [depth * 12 * 4, depth * 12 * 0.1 * (depth > 255 ? 6 : 5)];
    expect(dense.length - sparse.length).toBeGreaterThan(whole - left - 400);
    const feeds = randomFeeds(graph);
    const [expected, ours] = [reference(graph, feeds).y0!, (await run(sparse, feeds)).y0!];
    expectClose(ours, expected);
    expect(ours).toEqual((await run(dense, feeds)).y0!);
  },
);

it('is written and read back to the byte, and described', () => {
  const sparse = exported(pruned(40), { sparse: true });
  expect(writeTflite(readTflite(sparse))).toEqual(sparse);
  const { layers } = describeTflite(sparse);
  expect(layers.map(({ op, precision }) => [op, precision])).toEqual([
    ['DENSIFY', 'float32'],
    ...[0, 1, 2].map(() => ['CONV_2D', 'float32']),
  ]);
  expect(layers[2]!.macs).toBe(4 * 4 * 40 * 12);
});

it('is left alone where nothing was pruned, and where nothing was asked for', () => {
  const full = sketch((g) => g.op('Conv2D', [g.input('x', floats('batch', 4, 4, 8)), g.weights([1, 1, 8, 40])], PLAIN));
  expect(operators(exported(full, { sparse: true }))).toEqual(['CONV_2D']);
  expect(operators(exported(pruned(40)))).not.toContain('DENSIFY');
});
