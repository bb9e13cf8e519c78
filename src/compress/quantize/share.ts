import { fixedQuantization } from '../../formats/tflite/quantize/rules.ts';
import { handsOn } from '../../graph/ops.ts';
import { flag } from '../../graph/ops/spec.ts';
import type { DenseScales, Quantization, TensorQuantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';

/** Ops whose range is known beforehand, as TFLite calls them: it prescribes their scales. */
const KNOWN: Readonly<Record<string, string>> = { Softmax: 'SOFTMAX', Sigmoid: 'LOGISTIC', Tanh: 'TANH' };

/** The scales of activations, made equal where the runtimes want them equal. */
export function shareScales(graph: Graph, found: Quantization, symmetric = false): Map<string, TensorQuantization> {
  const shared = new Map(found);
  for (const { op, inputs, outputs } of graph.nodes) {
    const known = symmetric ? undefined : KNOWN[op];
    // The parts of a split may have scales of their own: ONNX Runtime computes it in float.
    const isSame = handsOn(op, 'averaged') && outputs.length === 1;
    const source = isSame ? shared.get(inputs[0]!) : known === undefined ? undefined : fixedQuantization(known, 'int8');
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
