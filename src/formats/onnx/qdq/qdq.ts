import type { Quantization, TensorQuantization } from '../../../graph/quantization.ts';
import type { Graph } from '../../../graph/types.ts';
import type { Skipped } from '../../skipped.ts';
import { lowerWithValues } from '../lower.ts';
import type { Options } from '../lower.ts';
import type { Model, OnnxNode, OnnxTensor } from '../model.ts';
import { tensorData } from '../model.ts';
import { QdqWriter } from './writer.ts';
import { biasScales, constantScale, weightScales } from './weights.ts';

/** Ops with weights that ONNX Runtime and TensorRT compute in int8. */
const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);
/** Ops on activations that they compute in int8. */
const FREE: ReadonlySet<string> = new Set([
  ...['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool', 'LeakyRelu', 'Sigmoid'],
]);
/** Ops that leave the integers as they are. */
const HANDING_ON: ReadonlySet<string> = new Set([
  ...['MaxPool', 'Reshape', 'Transpose', 'Slice', 'Gather', 'Flatten', 'Squeeze', 'Unsqueeze', 'Tile'],
]);

/**
 * An inference graph as int8 ONNX: QuantizeLinear and DequantizeLinear around what is computed in integers, weights stored
 * as int8 and biases as int32. An activation after a layer (Relu, Clip) belongs to it: nothing stands between.
 */
export function exportQdq(
  graph: Graph,
  quantization: Quantization,
  options: Options = {},
): { result: Model; skipped: Skipped[] } {
  const { model, values } = lowerWithValues(graph, options);
  return new Qdq(model, (tensor) => quantization.get(values.get(tensor) ?? tensor)).convert();
}

class Qdq {
  readonly #model: Model;
  readonly #scalesOf: (tensor: string) => TensorQuantization | undefined;
  readonly #constants: ReadonlyMap<string, OnnxTensor>;
  readonly #consumers = new Map<string, OnnxNode[]>();
  readonly #outputs: ReadonlySet<string>;

  constructor(model: Model, scalesOf: (tensor: string) => TensorQuantization | undefined) {
    this.#model = model;
    this.#constants = new Map(model.graph.initializers.map((t) => [t.name, t]));
    this.#outputs = new Set(model.graph.outputs.map(({ name }) => name));
    this.#scalesOf = (tensor) => (this.#constants.has(tensor) ? undefined : scalesOf(tensor));
    this.#weightsOf = scalesOf;
    for (const node of model.graph.nodes)
      for (const input of node.inputs) this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
  }

  readonly #weightsOf: (tensor: string) => TensorQuantization | undefined;

  convert(): { result: Model; skipped: Skipped[] } {
    const { graph } = this.#model;
    const skipped: Skipped[] = [];
    const integer = new Set<OnnxNode>();
    const marked = new Map<string, TensorQuantization>();
    for (const node of graph.nodes) {
      const why = this.#obstacle(node, marked);
      if (why === undefined) {
        integer.add(node);
        for (const name of [...this.#activations(node), this.#target(node)]) marked.set(name, this.#scalesOf(name)!);
      } else if (WEIGHTED.has(node.op)) skipped.push({ what: node.name, why });
    }
    const writer = new QdqWriter(this.#model, marked);
    for (const node of graph.nodes) {
      if (integer.has(node)) writer.add(node, this.#stored(node));
      else writer.add(node, new Map());
    }
    return { result: writer.finish(), skipped };
  }

  /** Why a node is not computed in integers; `undefined` if it is. */
  #obstacle(node: OnnxNode, marked: ReadonlyMap<string, TensorQuantization>): string | undefined {
    const { op, inputs } = node;
    if (!WEIGHTED.has(op) && !FREE.has(op) && !HANDING_ON.has(op)) return `${op} has no int8 kernel`;
    const activations = this.#activations(node);
    const unknown = [...activations, this.#target(node)].find((name) => this.#scalesOf(name) === undefined);
    if (unknown !== undefined) return `the range of ${unknown} is not known`;
    if (activations.length === 0) return 'all its operands are constants';
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

  /** The operands that are computed or fed; of ops that hand on, the first alone (others are shapes and indexes). */
  #activations({ op, inputs }: OnnxNode): string[] {
    const operands = HANDING_ON.has(op) ? inputs.slice(0, 1) : inputs;
    return operands.filter((name) => name !== '' && !this.#constants.has(name));
  }

  /** What a node's result is, with the activation after it. */
  #target(node: OnnxNode): string {
    const output = node.outputs[0]!;
    const [next, ...others] = this.#consumers.get(output) ?? [];
    const isClipping = next?.op === 'Relu' || (next?.op === 'Clip' && this.#startsAtZero(next));
    if (HANDING_ON.has(node.op) || !isClipping || others.length > 0 || this.#outputs.has(output)) return output;
    return next.outputs[0]!;
  }

  #startsAtZero({ inputs }: OnnxNode): boolean {
    const low = this.#constants.get(inputs[1] ?? '');
    return low !== undefined && (tensorData(low) as Float32Array)[0] === 0;
  }

  /** The constants of a node and the integers to store for them. */
  #stored(node: OnnxNode): Map<string, TensorQuantization> {
    const { inputs, op } = node;
    const stored = new Map<string, TensorQuantization>();
    if (HANDING_ON.has(op)) return stored;
    if (!WEIGHTED.has(op)) {
      for (const name of inputs) {
        const constant = this.#constants.get(name);
        if (constant !== undefined) stored.set(name, constantScale(constant));
      }
      return stored;
    }
    const weights = weightScales(node, this.#constants.get(inputs[1]!)!, this.#weightsOf(inputs[1]!));
    stored.set(inputs[1]!, weights);
    const bias = inputs[2] ?? '';
    if (bias !== '') stored.set(bias, biasScales(this.#scalesOf(inputs[0]!)!, weights));
    return stored;
  }
}
