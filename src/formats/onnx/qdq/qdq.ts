import { readersOf } from '../../../graph/passes/uses.ts';
import type { Quantization, TensorQuantization } from '../../../graph/quantization.ts';
import {
  constantScale,
  divisorsOf,
  layersOf,
  reciprocalsOf,
  termRange,
  withRoomForBias,
} from '../../../graph/quantization.ts';
import { showStage } from '../../../graph/stages.ts';
import type { Graph } from '../../../graph/types.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { lowerWithValues } from '../lower.ts';
import type { Options } from '../lower.ts';
import type { Model, OnnxNode, OnnxTensor } from '../model.ts';
import { tensorData } from '../model.ts';
import { printOnnx } from '../print.ts';
import { replaceNodes } from '../rewrite/replace-nodes.ts';
import { storedRows, takesRows } from '../rewrite/rows.ts';
import { withColumnsAsChannels } from './columns.ts';
import { withGlobalPools } from './global-pool.ts';
import { FREE, HANDING_ON, ON_EACH_VALUE, WEIGHTED } from './ops.ts';
import { biasScales, fileWeightScales } from './weights.ts';
import { QdqWriter } from './writer.ts';

export interface QdqOptions extends Options {
  /** Layers that stay in float, by their name in the graph. */
  readonly keepFloat?: (layer: string) => boolean;
}

/**
 * Exports an inference graph as 8-bit ONNX: QuantizeLinear and DequantizeLinear around integer computations, weights stored as int8. An activation
 * after a layer (Relu, Clip) belongs to it, without a pair in between.
 *
 * Biases stay float32: ONNX Runtime converts them to int32 in loading, and TensorRT takes no others. Activations with a zero point are uint8, with
 * the same values as int8: ONNX Runtime's x64 kernels convert only some int8 activations to uint8, and a convolution that reads one type and writes
 * the other runs in float. With symmetric scales throughout they stay int8, as TensorRT requires, and convolutions are unchanged: those of uint8 read
 * columns as channels where ONNX Runtime is faster so (`columnsToChannels`). The last product of a model gives float32: rounding logits to 8 bits
 * makes ties.
 */
export function exportQdq(
  graph: Graph,
  quantization: Quantization,
  options: QdqOptions = {},
): { result: Model; skipped: Skipped[] } {
  const keep = options.keepFloat ?? (() => false);
  const ready = isSymmetric(quantization) ? { graph, quantization } : withColumnsAsChannels(graph, quantization, keep);
  const { result, skipped } = qdqOf(ready.graph, ready.quantization, options).qdq.convert();
  showStage('qdq', () => printOnnx(result));
  return { result, skipped };
}

/** Parts of a graph that its int8 file computes in integers, by value names of the graph. */
export interface IntegerPlan {
  /** Activations that are rounded to 8 bits. */
  readonly activations: ReadonlySet<string>;
  /** Layers with stored weights; `bias`: a bias that the layer adds. */
  readonly layers: readonly { readonly input: string; readonly weights: string; readonly bias?: string }[];
  /** Sums and products with a constant operand, which is rounded to 8 bits with one scale. */
  readonly operands: readonly Operand[];
}

interface Operand {
  readonly constant: string;
  /** Result of the node that reads it. */
  readonly output: string;
  /** For a sum: the other operand and the rounded result, which determine the relevant range of the constant (`termRange`). */
  readonly sum?: { readonly other: string; readonly result: string };
}

/** The plan of `exportQdq`, which training with quantization simulates. */
export function planQdq(graph: Graph, quantization: Quantization, options: QdqOptions = {}): IntegerPlan {
  const { qdq, valueOf } = qdqOf(graph, quantization, options);
  return qdq.plan(valueOf);
}

function isSymmetric(quantization: Quantization): boolean {
  return [...quantization.values()].every(({ zeroPoints }) => zeroPoints.every((one) => one === 0));
}

function qdqOf(
  graph: Graph,
  quantization: Quantization,
  options: QdqOptions,
): { readonly qdq: Qdq; readonly valueOf: (tensor: string) => string } {
  const { model: lowered, values } = lowerWithValues(graph, options);
  const valueOf = (tensor: string): string => values.get(tensor) ?? tensor;
  const rankOf = (tensor: string): number | undefined => graph.types.get(valueOf(tensor))?.shape.length;
  const pooled = (tensor: string, result: string): unknown => values.set(tensor, valueOf(result));
  const model: Model = { ...lowered, graph: withGlobalPools(lowered.graph, rankOf, pooled) };
  const layers = layersOf(graph);
  const layer = (node: OnnxNode): string =>
    node.outputs.flatMap((output) => layers.get(valueOf(output)) ?? [])[0] ?? node.name;
  const keep = options.keepFloat ?? (() => false);
  const scalesOf = (tensor: string): TensorQuantization | undefined => quantization.get(valueOf(tensor));
  const qdq = new Qdq(model, { scalesOf, layer, keep, dtype: isSymmetric(quantization) ? 'int8' : 'uint8' });
  return { qdq, valueOf };
}

interface Questions {
  readonly scalesOf: (tensor: string) => TensorQuantization | undefined;
  readonly layer: (node: OnnxNode) => string;
  readonly keep: (layer: string) => boolean;
  /** Type of activations. */
  readonly dtype: 'int8' | 'uint8';
}

class Qdq {
  readonly #model: Model;
  readonly #questions: Questions;
  readonly #constants: ReadonlyMap<string, OnnxTensor>;
  readonly #consumers: ReadonlyMap<string, readonly OnnxNode[]>;
  readonly #outputs: ReadonlySet<string>;
  readonly #divisors: ReadonlySet<string>;
  readonly #reciprocals: ReadonlySet<string>;

  constructor(model: Model, questions: Questions) {
    this.#model = model;
    this.#questions = questions;
    this.#constants = new Map(model.graph.initializers.map((t) => [t.name, t]));
    this.#outputs = new Set(model.graph.outputs.map(({ name }) => name));
    this.#consumers = readersOf(model.graph.nodes);
    this.#divisors = divisorsOf(model.graph.nodes, this.#outputs);
    this.#reciprocals = reciprocalsOf(model.graph.nodes, (name) => this.#constants.has(name));
  }

  convert(): { result: Model; skipped: Skipped[] } {
    const { integer, marked, skipped } = this.#chosen();
    const writer = new QdqWriter(this.#model, marked);
    for (const node of this.#model.graph.nodes) {
      if (integer.has(node)) writer.add(node, this.#stored(node));
      else writer.add(node, new Map());
    }
    const { result, skipped: tables } = this.#withStoredRows(writer.finish());
    return { result, skipped: [...skipped, ...tables] };
  }

  /** The model with embedding tables in 8 bits; TensorRT looks up no rows of int8. */
  #withStoredRows(model: Model): { result: Model; skipped: Skipped[] } {
    const { keep, layer, dtype } = this.#questions;
    return replaceNodes(model, (node, { stored, added, skipped }) => {
      const table = stored.get(node.inputs[0] ?? '');
      const what = layer(node);
      if (!takesRows(node, table) || keep(what)) return [node];
      if (dtype === 'uint8') return storedRows(node, table, added);
      const why = `its ${table.dims[0]} vectors stay float32 with symmetric scales; dynamic-int8 stores them in 8 bits`;
      skipped.push({ what, why });
      return [node];
    });
  }

  plan(valueOf: (tensor: string) => string): IntegerPlan {
    const { integer, marked } = this.#chosen();
    const layers: IntegerPlan['layers'][number][] = [];
    const operands: Operand[] = [];
    for (const node of integer) {
      const { op, inputs } = node;
      const [input, weights, bias = ''] = inputs.map((name) => (name === '' ? '' : valueOf(name)));
      if (WEIGHTED.has(op)) layers.push({ input: input!, weights: weights!, ...(bias === '' ? {} : { bias }) });
      if (!FREE.has(op)) continue;
      const terms = this.#terms(node);
      const sum = terms && { other: valueOf(terms.other), result: valueOf(terms.result) };
      for (const name of inputs)
        if (this.#constants.has(name))
          operands.push({ constant: valueOf(name), output: valueOf(node.outputs[0]!), ...(sum && { sum }) });
    }
    return { activations: new Set([...marked.keys()].map(valueOf)), layers, operands };
  }

  /** Chooses the nodes to compute in integers, and the activations to store as integers for them. */
  #chosen(): {
    readonly integer: ReadonlySet<OnnxNode>;
    readonly marked: ReadonlyMap<string, TensorQuantization>;
    readonly skipped: Skipped[];
  } {
    const { graph } = this.#model;
    const skipped: Skipped[] = [];
    const integer = new Set<OnnxNode>();
    const marked = new Map<string, TensorQuantization>();
    const float = new Set<string>();
    for (const node of graph.nodes) {
      const why = this.#obstacle(node, marked, float);
      if (why === undefined) {
        integer.add(node);
        for (const name of [...this.#activations(node), ...this.#targets(node)])
          marked.set(name, this.#scalesOf(name)!);
        continue;
      }
      // Activation functions fused into a layer return integers.
      for (const name of node.outputs) if (!marked.has(name)) float.add(name);
      if (WEIGHTED.has(node.op)) skipped.push({ what: this.#questions.layer(node), why });
    }
    return { integer, marked, skipped };
  }

  /** Scales of an activation as this file stores it. */
  #scalesOf(tensor: string): TensorQuantization | undefined {
    const found = this.#constants.has(tensor) ? undefined : this.#questions.scalesOf(tensor);
    if (found === undefined || found.dtype !== 'int8' || this.#questions.dtype === 'int8') return found;
    return { ...found, dtype: 'uint8', zeroPoints: found.zeroPoints.map((zeroPoint) => zeroPoint + 128) };
  }

  /** Reason why a node is not computed in integers; undefined if it is. */
  #obstacle(
    node: OnnxNode,
    marked: ReadonlyMap<string, TensorQuantization>,
    float: ReadonlySet<string>,
  ): string | undefined {
    const { op, inputs } = node;
    if (!WEIGHTED.has(op) && !FREE.has(op) && !HANDING_ON.has(op)) return `${op} has no int8 kernel`;
    if (!HANDING_ON.has(op) && this.#questions.keep(this.#questions.layer(node))) return 'it is kept in float';
    if (!WEIGHTED.has(op) && this.#divisors.has(node.outputs[0]!)) return 'its result is divided by';
    if (op === 'Mul' && inputs.some((name) => this.#reciprocals.has(name))) return 'it divides';
    const activations = this.#activations(node);
    const unknown = [...activations, ...this.#targets(node)].find((name) => this.#scalesOf(name) === undefined);
    if (unknown !== undefined) return `the range of ${unknown} is not known`;
    if (activations.length === 0) return 'all its operands are constants';
    // Each step of a layer norm would lose precision, above all its squares.
    if (ON_EACH_VALUE.has(op) && activations.every((name) => float.has(name))) return 'its operands are float32';
    if (HANDING_ON.has(op)) {
      const [from, to] = [marked.get(activations[0]!), this.#scalesOf(node.outputs[0]!)!];
      if (from === undefined) return 'its operand is not in integers';
      if (from.scales[0] !== to.scales[0] || from.zeroPoints[0] !== to.zeroPoints[0]) return 'its scales differ';
    }
    if (!WEIGHTED.has(op)) return undefined;
    if (activations.length !== 1 || !this.#constants.has(inputs[1]!)) return 'its weights are computed';
    return this.#isConstant(inputs[2]) ? undefined : 'its bias is computed';
  }

  #isConstant(name: string | undefined): boolean {
    return name === undefined || name === '' || this.#constants.has(name);
  }

  /** Computed or fed operands; for ops that pass integers on, only the first (others are shapes and indexes). */
  #activations({ op, inputs }: OnnxNode): string[] {
    const operands = HANDING_ON.has(op) ? inputs.slice(0, 1) : inputs;
    return operands.filter((name) => name !== '' && !this.#constants.has(name));
  }

  /** The result that is quantized for a node: that of its fused activation, or none for a float32 output of the model. */
  #targets(node: OnnxNode): string[] {
    const output = node.outputs[0]!;
    const [next, ...others] = this.#consumers.get(output) ?? [];
    const isLast = this.#outputs.has(output) && next === undefined;
    if (isLast && (node.op === 'Gemm' || node.op === 'MatMul')) return [];
    const isClipping = next?.op === 'Relu' || (next?.op === 'Clip' && this.#startsAtZero(next));
    if (HANDING_ON.has(node.op) || !isClipping || others.length > 0 || this.#outputs.has(output)) return [output];
    return [next.outputs[0]!];
  }

  #startsAtZero({ inputs }: OnnxNode): boolean {
    const low = this.#constants.get(inputs[1] ?? '');
    return low !== undefined && (tensorData(low) as Float32Array)[0] === 0;
  }

  /** Scale of a constant operand of a sum or product: by its range, for a sum by the relevant part. */
  #operandScale(node: OnnxNode, constant: OnnxTensor): TensorQuantization {
    const terms = this.#terms(node);
    const within = terms && termRange(this.#scalesOf(terms.other)!, this.#scalesOf(terms.result)!);
    return constantScale(tensorData(constant) as Float32Array, this.#questions.dtype, within, false);
  }

  /** The computed operand of a sum with a constant, and the quantized result. */
  #terms(node: OnnxNode): { other: string; result: string } | undefined {
    const [other, result] = [...this.#activations(node), ...this.#targets(node)];
    return node.op === 'Add' && other !== undefined && result !== undefined ? { other, result } : undefined;
  }

  /** Constants of a node with the scales of their stored integers. */
  #stored(node: OnnxNode): Map<string, TensorQuantization> {
    const { inputs, op } = node;
    const stored = new Map<string, TensorQuantization>();
    if (HANDING_ON.has(op)) return stored;
    if (!WEIGHTED.has(op)) {
      for (const name of inputs) {
        const constant = this.#constants.get(name);
        if (constant !== undefined) stored.set(name, this.#operandScale(node, constant));
      }
      return stored;
    }
    const [input, weights, bias = ''] = inputs as [string, string, string?];
    const fileScales = fileWeightScales(node, this.#constants.get(weights)!, this.#questions.scalesOf(weights));
    const values = this.#constants.get(bias);
    const biases = values && (tensorData(values) as Float32Array);
    const scales = withRoomForBias(fileScales, biases, this.#scalesOf(input)!.scales[0]!);
    stored.set(weights, scales);
    // ONNX Runtime converts a float32 bias to int32 only if the result is quantized.
    const isLast = this.#targets(node).length === 0 && this.#questions.dtype === 'uint8';
    if (isLast && bias !== '') stored.set(bias, biasScales(this.#scalesOf(input)!, scales));
    return stored;
  }
}
