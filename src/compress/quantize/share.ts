import { fixedQuantization } from '../../formats/tflite/quantize/rules.ts';
import { handsOn } from '../../graph/ops.ts';
import { flag } from '../../graph/ops/spec.ts';
import type { DenseScales, Quantization, TensorQuantization } from '../../graph/quantization.ts';
import type { Graph, Node } from '../../graph/types.ts';

/** Ops whose range is known beforehand, as TFLite calls them: it prescribes their scales. */
const KNOWN: Readonly<Record<string, string>> = { Softmax: 'SOFTMAX', Sigmoid: 'LOGISTIC', Tanh: 'TANH' };

/** Ratio of the prescribed step to that of a result's own range beyond which too little of the result is left: it takes fewer than 16 of 256 steps. */
const FEW_STEPS = 16;

/** The scales of activations, made equal where the runtimes want them equal. */
export function shareScales(graph: Graph, found: Quantization, symmetric = false): Map<string, TensorQuantization> {
  const shared = new Map(found);
  for (const node of graph.nodes) {
    const { op, inputs, outputs } = node;
    const isKnown = Object.hasOwn(KNOWN, op) && !symmetric && !isTiny(node, shared);
    // The parts of a split may have scales of their own: ONNX Runtime computes it in float.
    const isSame = handsOn(op, 'averaged') && outputs.length === 1;
    const source = isSame ? shared.get(inputs[0]!) : isKnown ? fixedQuantization(KNOWN[op]!, 'int8') : undefined;
    if (source === undefined) continue;
    for (const output of outputs) if (shared.has(output)) shared.set(output, source);
  }
  return shared;
}

/** Nodes that give an output of the model far below what the prescribed steps tell apart, as probabilities of rare events are: float32 costs next to nothing there. */
export function tinyEnds(graph: Graph, scales: Quantization): Node[] {
  const ends = new Set(graph.outputs.values());
  return graph.nodes.filter((node) => ends.has(node.outputs[0]!) && isTiny(node, scales));
}

function isTiny({ op, outputs }: Node, scales: Quantization): boolean {
  const own = scales.get(outputs[0]!);
  if (own === undefined || !Object.hasOwn(KNOWN, op)) return false;
  const type = own.dtype === 'int16' ? 'int16' : 'int8';
  return own.scales[0]! * FEW_STEPS < fixedQuantization(KNOWN[op]!, type).scales[0]!;
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
