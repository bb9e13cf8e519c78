import { elementCount, storedTensors, tensorBytes } from './model.ts';
import type { Model, OnnxNode, OnnxTensor } from './model.ts';
import { producersOf } from '../../graph/passes/uses.ts';
import { sum } from '../../base/numbers.ts';

/** Type and shape of a value, observed in a run of the model. */
export interface SeenType {
  readonly dtype: string;
  readonly dims: readonly number[];
}

export interface OnnxLayer {
  readonly op: string;
  readonly name: string;
  /** Observed shape; empty if unknown. */
  readonly output: readonly number[];
  /** Types of the computation: the activations', and the weights' if it differs, as in `float32 × int8`. */
  readonly precision: string;
  readonly weightBytes: number;
  /** Multiply-accumulates of convolutions, matrix products and recurrent layers, for outputs of this shape. */
  readonly macs: number;
}

/** Describes the operators of a model, in order. `seen`: observed types and shapes of its values, by name. */
export function describeOnnxLayers({ graph }: Model, seen: ReadonlyMap<string, SeenType>): OnnxLayer[] {
  const constants = storedTensors(graph);
  const producers = producersOf(graph.nodes);
  const dims = (name = ''): readonly number[] => constants.get(name)?.dims ?? seen.get(name)?.dims ?? [];
  /** Stored type of a value: that of the integers or halves that a preceding node widens. */
  const stored = (name: string): { dtype?: string | undefined; constant?: OnnxTensor | undefined } => {
    const constant = constants.get(name);
    if (constant !== undefined) return { dtype: constant.dtype, constant };
    const producer = producers.get(name);
    const source = producer?.inputs[0];
    if (producer?.op === 'DequantizeLinear') return stored(source!);
    if (producer?.op === 'Cast' && constants.has(source!)) return stored(source!);
    const declared = [...graph.inputs, ...graph.valueInfos].find((value) => value.name === name)?.dtype;
    return { dtype: seen.get(name)?.dtype ?? declared };
  };
  return graph.nodes.map((node) => {
    const inputs = node.inputs.filter((name) => name !== '');
    const weight = weightOf(node);
    const activation = inputs.map(stored).find(({ constant }) => constant === undefined)?.dtype;
    const computed = activation ?? seen.get(node.outputs[0] ?? '')?.dtype ?? '?';
    const weights = weight === undefined ? undefined : stored(weight).dtype;
    const bytes = new Map(
      inputs.map(stored).map(({ constant }) => [constant, constant === undefined ? 0 : tensorBytes(constant)]),
    );
    return {
      op: node.domain === '' || node.domain === 'ai.onnx' ? node.op : `${node.domain}.${node.op}`,
      name: node.name || (node.outputs[0] ?? ''),
      output: [...(seen.get(node.outputs[0] ?? '')?.dims ?? [])],
      precision: weights === undefined || weights === computed ? computed : `${computed} × ${weights}`,
      // A widened constant counts for the node that computes with it.
      weightBytes: node.op === 'DequantizeLinear' || node.op === 'Cast' ? 0 : sum([...bytes.values()]),
      macs: macs(node, dims),
    };
  });
}

/** Index of the weights among the inputs. */
const weightInputs: Readonly<Record<string, number>> = {
  Conv: 1,
  ConvTranspose: 1,
  ConvInteger: 1,
  Gemm: 1,
  MatMul: 1,
  MatMulInteger: 1,
  LSTM: 1,
  GRU: 1,
  RNN: 1,
  QLinearConv: 3,
  QLinearMatMul: 3,
};

function weightOf({ op, inputs }: OnnxNode): string | undefined {
  const at = weightInputs[op];
  return at === undefined ? undefined : inputs[at];
}

function macs(node: OnnxNode, dims: (name?: string) => readonly number[]): number {
  const { op, inputs, outputs } = node;
  const [input, output] = [dims(inputs[0]), dims(outputs[0])];
  const weights = dims(weightOf(node));
  if (input.length === 0 || output.length === 0) return 0;
  switch (op) {
    case 'Conv':
    case 'ConvInteger':
    case 'QLinearConv':
      return elementCount(output) * elementCount(weights.slice(1));
    case 'ConvTranspose':
      return elementCount(input) * elementCount(weights.slice(1));
    case 'Gemm':
      return elementCount(output) * input[Number(node.attrs.get('transA')?.value ?? 0) === 1 ? 0 : 1]!;
    case 'MatMul':
    case 'MatMulInteger':
    case 'QLinearMatMul':
      return elementCount(output) * input.at(-1)!;
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return input[0]! * input[1]! * (elementCount(weights) + elementCount(dims(inputs[2])));
    default:
      return 0;
  }
}
