import { flag } from '../../graph/ops/spec.ts';
import type { DenseScales, Quantization, TensorQuantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';

/** Ops that hand on values of their first operand, or means of them: integers keep their scale. */
const HANDING_ON: ReadonlySet<string> = new Set([
  ...[
    'Reshape',
    'Transpose',
    'Slice',
    'StridedSlice',
    'GatherV2',
    'Tile',
    'Reverse',
    'MaxPool',
    'AvgPool',
    'Max',
    'Min',
  ],
  ...['ResizeBilinear', 'ResizeNearestNeighbor'],
]);

/** Results whose range is known beforehand: the scales that TFLite prescribes. */
const KNOWN: Readonly<Record<string, TensorQuantization>> = {
  Softmax: { dtype: 'int8', scales: [1 / 256], zeroPoints: [-128] },
  Sigmoid: { dtype: 'int8', scales: [1 / 256], zeroPoints: [-128] },
  Tanh: { dtype: 'int8', scales: [1 / 128], zeroPoints: [0] },
};

/** The scales of activations, made equal where the runtimes want them equal. */
export function shareScales(graph: Graph, found: Quantization, symmetric = false): Map<string, TensorQuantization> {
  const shared = new Map(found);
  for (const { op, inputs, outputs } of graph.nodes) {
    const known = symmetric ? undefined : KNOWN[op];
    const source = HANDING_ON.has(op) ? shared.get(inputs[0]!) : known;
    if (source === undefined) continue;
    for (const output of outputs) if (shared.has(output)) shared.set(output, source);
  }
  return shared;
}

/** Axis of a node's weights that holds the output channels; undefined where the weights share one scale. */
export function channelAxisOf(
  { op, attrs }: Graph['nodes'][number],
  rank: number,
  dense: DenseScales,
): number | undefined {
  if (op === 'Conv2D') return 3;
  if (op === 'DepthwiseConv2dNative') return 2;
  // ONNX Runtime's product of stacks of matrices knows one scale for all of them.
  if (op === 'BatchMatMul' && dense === 'channel' && rank === 2) return flag(attrs, 'transposeB') ? rank - 2 : rank - 1;
  return undefined;
}
