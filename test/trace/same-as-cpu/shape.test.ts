import * as tf from '@tensorflow/tfjs-core';
import { numbers } from '../../support/graphs.ts';
import type { Case, Options } from '../../support/same-as-cpu.ts';
import { describeSameAsCpu } from '../../support/same-as-cpu.ts';

const REDUCTIONS: Readonly<Record<string, (x: tf.Tensor, axes?: number[], keep?: boolean) => tf.Tensor>> = {
  sum: tf.sum,
  mean: tf.mean,
  max: tf.max,
  min: tf.min,
  logSumExp: tf.logSumExp,
};
const AXES: readonly (readonly [number[] | undefined, boolean])[] = [
  [undefined, false],
  [[0], false],
  [[2], true],
  [[0, 2], false],
  [[-2], true],
];

describeSameAsCpu('reductions', [
  ...Object.entries(REDUCTIONS).flatMap(([name, reduce]) =>
    AXES.map(([axes, keep]): Case => [
      `${name} over ${axes === undefined ? 'all' : axes.join()}${keep ? ', kept' : ''}`,
      (x) => reduce(x, axes, keep),
      [[2, 3, 4]],
    ]),
  ),
  // tfjs' own gradient of prod fails for negative axes.
  ['prod', (x) => tf.prod(x, 1), [[2, 3, 4]]],
  ['argMax', (x) => tf.argMax(x, 1), [[2, 5, 3]], { gradient: false }],
  ['argMin', (x) => tf.argMin(x, -1), [[2, 5, 3]], { gradient: false }],
  ['all', (x) => tf.all(tf.greater(x, -1), 1), [[4, 3]], { gradient: false }],
  ['any', (x) => tf.any(tf.greater(x, 1), 1), [[4, 3]], { gradient: false }],
  [
    'cumsum',
    (x) => tf.cumsum(x, 1),
    [[2, 5, 3]],
    { reference: (x) => tf.transpose(tf.cumsum(tf.transpose(x, [0, 2, 1]), 2), [0, 2, 1]) },
  ],
  ['cumsum, exclusive and reversed', (x) => tf.cumsum(x, 1, true, true), [[4, 3]]],
  ['cumprod', (x) => tf.cumprod(x, 1), [[2, 5]], { gradient: false }],
  ['topk', (x) => tf.topk(x, 3).values, [[2, 7]], { gradient: false }],
  ['topk, indices', (x) => tf.topk(x, 3).indices, [[2, 7]], { gradient: false }],
  ['norm', (x) => tf.norm(x, 'euclidean', 1), [[3, 4]]],
  ['variance', (x) => tf.moments(x, [0]).variance, [[5, 3]]],
]);

const indices: Options = {
  values: (count, i) => (i === 0 ? numbers(count, 'rows') : Int32Array.from({ length: count }, (_, n) => (n * 7) % 5)),
  dtypes: ['float32', 'int32'],
};

describeSameAsCpu('shapes', [
  ['reshape', (x) => tf.reshape(x, [4, -1]), [[2, 6]]],
  ['transpose', (x) => tf.transpose(x, [2, 0, 1]), [[2, 3, 4]]],
  ['concat', (a, b) => tf.concat([a, b], 1), [[2, 3], [2, 4]]],
  ['split', (x) => tf.split(x, [1, 3, 2], 1)[1]!, [[2, 6]]],
  ['stack', (a, b) => tf.stack([a, b], 1), [[2, 3], [2, 3]]],
  ['unstack', (x) => tf.unstack(x, 1)[2]!, [[2, 4]]],
  ['slice', (x) => tf.slice(x, [1, 2], [2, 3]), [[4, 6]]],
  ['stridedSlice', (x) => tf.stridedSlice(x, [1, 5], [4, 0], [2, -2]), [[5, 6]], { gradient: false }],
  ['pad', (x) => tf.pad(x, [[1, 2], [0, 1]], 3), [[2, 3]]],
  ['mirrorPad, reflect', (x) => tf.mirrorPad(x, [[1, 2], [2, 1]], 'reflect'), [[4, 5]], { gradient: false }],
  ['mirrorPad, symmetric', (x) => tf.mirrorPad(x, [[1, 2], [2, 1]], 'symmetric'), [[4, 5]], { gradient: false }],
  ['tile', (x) => tf.tile(x, [2, 3]), [[2, 3]]],
  ['broadcastTo', (x) => tf.broadcastTo(x, [4, 3]), [[1, 3]]],
  ['reverse', (x) => tf.reverse(x, 1), [[2, 4]]],
  ['expandDims and squeeze', (x) => tf.squeeze(tf.expandDims(x, 1), [1]), [[2, 3]]],
  ['gather (embedding)', (x, i) => tf.gather(x, i), [[5, 3], [7]], indices],
  ['gather along another axis', (x, i) => tf.gather(x, i, 1), [[3, 5], [4]], indices],
  ['gather by a matrix of indices', (x, i) => tf.gather(x, i), [[5, 3], [2, 4]], indices],
  ['gatherND', (x, i) => tf.gatherND(x, tf.reshape(i, [3, 1])), [[5, 3], [3]], { ...indices, gradient: false }],
  ['scatterND', (x, i) => tf.scatterND(tf.reshape(i, [4, 1]), x, [6, 3]), [[4, 3], [4]], { ...indices, gradient: false }],
  ['unsortedSegmentSum', (x, i) => tf.unsortedSegmentSum(x, i as tf.Tensor1D, 5), [[7, 3], [7]], { ...indices, gradient: false }],
  ['oneHot', (_, i) => tf.oneHot(i, 6, 2, -1), [[1], [7]], { ...indices, gradient: false }],
  ['depthToSpace', (x) => tf.depthToSpace(x as tf.Tensor4D, 2), [[2, 3, 2, 8]], { gradient: false }],
  ['spaceToBatchND', (x) => tf.spaceToBatchND(x, [2, 2], [[0, 1], [1, 0]]), [[2, 5, 3, 2]]],
  ['batchToSpaceND', (x) => tf.batchToSpaceND(x, [2, 2], [[0, 1], [1, 0]]), [[8, 3, 2, 2]]],
  // tfjs' gradients of resizing mix up height and width: square images.
  ['resizeBilinear', (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [7, 5]), [[2, 4, 4, 2]]],
  ['resizeBilinear, smaller, corners aligned', (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [3, 4], true), [[2, 6, 6, 2]]],
  ['resizeBilinear, half-pixel centres', (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [7, 5], false, true), [[2, 4, 3, 2]], { gradient: false }],
  ['resizeNearestNeighbor', (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [8, 6]), [[1, 4, 4, 2]]],
  ['resizeNearestNeighbor, odd', (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [5, 7]), [[1, 4, 4, 2]]],
]); // prettier-ignore

describeSameAsCpu('matrix products', [
  ...[false, true].flatMap((ta) =>
    [false, true].map((tb): Case => [
      `of ${ta ? 'a transposed' : 'a'} and ${tb ? 'a transposed' : 'a'} matrix`,
      (a, b) => tf.matMul(a, b, ta, tb),
      [ta ? [4, 3] : [3, 4], tb ? [5, 4] : [4, 5]],
    ]),
  ),
  ['of batches', (a, b) => tf.matMul(a, b), [[2, 3, 4], [2, 4, 5]]],
  ['of batches of batches', (a, b) => tf.matMul(a, b, false, true), [[2, 3, 4, 5], [2, 3, 6, 5]]],
  // tfjs' own gradient does not sum over a broadcast batch.
  ['of a batch and one matrix', (a, b) => tf.matMul(a, b), [[3, 2, 4], [1, 4, 5]], { reference: (a, b) => tf.matMul(a, tf.tile(b, [3, 1, 1])) }],
  ['fused with bias and relu', (a, b, bias) => tf.fused.matMul({ a: a, b: b, bias: bias, activation: 'relu' }), [[3, 4], [4, 5], [5]]],
  ['self-attention', (x) => tf.matMul(tf.softmax(tf.div(tf.matMul(x, x, false, true), 2)), x), [[2, 5, 4]]],
  ['einsum', (a, b) => tf.einsum('bij,bjk->bik', a, b), [[2, 3, 4], [2, 4, 5]], { gradient: false }],
]); // prettier-ignore
