import type { Swap } from './pays-swap.ts';

const blockedRule = (file: string, ...names: readonly string[]): Swap[] =>
  names.map((name) => ({
    file: `formats/onnx/lower/blocked/${file}`,
    after: `export const ${name} = (node, b) => {`,
    insert: ' return false;',
  }));

const inBlocked = (file: string, after: string, insert: string): Swap[] => [
  { file: `formats/onnx/lower/blocked/${file}`, after, insert },
];

/** Parts of a training step that can be left out, and how. */
export const STEP_PARTS: Readonly<Record<string, readonly Swap[]>> = {
  'collect-sums': [
    { file: 'graph/passes/step/collect-sums', after: 'export function collectSums(graph) {', insert: ' return graph;' },
  ],
  'collect-sums/sources': [
    {
      file: 'graph/passes/step/collect-sums',
      after: 'function ofSources({ inputs, attrs, layer }, shape, builder) {',
      insert: ' return undefined;',
    },
  ],
  'reshaped addends': [
    { file: 'formats/onnx/lower/fuse', after: 'function defineReshaped(addend, c) {', insert: ' return;' },
  ],
  'transposed products': [
    {
      file: 'formats/onnx/lower/linear',
      after: 'if (c.options.addsMatrices &&',
      insert: ' false &&',
    },
  ],
  'row-sums': [
    {
      file: 'graph/passes/step/split-updates',
      after: 'function rowSumsOf(graph, taken, updates) {',
      insert: ' return new Map();',
    },
  ],
  blocked: inBlocked('table', 'export function blockedLowering(c) {', ' return () => false;'),
  'blocked/norm': blockedRule('norm', 'batchNormTrain', 'batchNormTrainGrad', 'fusedBatchNorm'),
  'blocked/pool': blockedRule('pool', 'maxPool', 'maxPoolGrad', 'avgPool', 'avgPoolGrad'),
  'blocked/pool pairs': inBlocked('pool', 'function isPairs(b, { attrs, inputs }, x = inputs[0]) {', ' return false;'),
  'blocked/depthwise': blockedRule('depthwise', 'depthwise', 'depthwiseBackpropFilter').concat(
    blockedRule('conv-input', 'depthwiseBackpropInput'),
  ),
  'blocked/conv-filter': blockedRule('conv-filter', 'conv2dBackpropFilter'),
  'blocked/conv-input': blockedRule('conv-input', 'conv2dBackpropInput'),
  'blocked/reduce': inBlocked('table', '...reductions,', '').map((swap) => ({
    ...swap,
    insert: ' ...Object.fromEntries(Object.keys(reductions).map((op) => [op, () => false])),',
  })),
  'blocked/shape': inBlocked('table', '...shapes,', ' Concat: () => false, Pad: () => false, Slice: () => false,'),
  'blocked/shift': inBlocked('shift', 'export function defineShifted(b, epilogue, conv) {', ' return false;'),
  'blocked/phases sum': inBlocked('phases', 'export function addPhases(b, one, other) {', ' return undefined;'),
  'blocked/scaled': inBlocked('norm', 'function isScalable(b, gradient, [n, h, w, depth]) {', ' return false;'),
  'blocked/epilogue': inBlocked('epilogue', 'export function follower(b, value) {', ' return undefined;'),
  'blocked/elementwise': inBlocked('elementwise', 'return (node, b) => {', ' return false;'),
  'blocked/per-channel': inBlocked(
    'elementwise',
    'function perChannel({ op, inputs, outputs }, b, sizes) {',
    ' return false;',
  ),
  'blocked/columns': inBlocked('conv-filter', 'isImage(b, task) &&', ' false &&'),
  relu6: [
    {
      file: 'trace/kernels/elementwise',
      after: 'ClipByValue: ({ x }, { clipValueMin, clipValueMax }) => {',
      insert: " return op('ClipByValue', [x], { clipValueMin, clipValueMax });",
    },
  ],
  'blocked/pointwise': inBlocked('conv-filter', 'size[0] * size[1] === 1 &&', ' false &&'),
};
