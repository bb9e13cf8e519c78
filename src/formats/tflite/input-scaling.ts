import { inputScaling } from '../onnx/input-scaling.ts';
import type { InputScaling } from '../onnx/input-scaling.ts';
import { tensor } from '../onnx/model.ts';
import type { OnnxNode, OnnxTensor } from '../onnx/model.ts';
import { fromHalfArray } from '../../base/typed-bytes.ts';
import { codeNumber } from './runtime.ts';
import { builtinOperators } from './schema/operators.ts';
import { tensorTypes } from './schema/tensor-types.ts';
import type { Operator, TfliteModel } from './types.ts';

/** Operators of scalings, and of what hands numbers on, by their names in ONNX. */
const IN_ONNX: Readonly<Record<string, string>> = {
  ADD: 'Add',
  SUB: 'Sub',
  MUL: 'Mul',
  DIV: 'Div',
  CAST: 'Cast',
  SHAPE: 'Shape',
  RESHAPE: 'Reshape',
  SQUEEZE: 'Squeeze',
  EXPAND_DIMS: 'Unsqueeze',
  TRANSPOSE: 'Transpose',
};

/**
 * Scaling that a TFLite file begins with, as `inputScaling` finds it in ONNX. Undefined for a file that begins otherwise: the official converter folds a
 * scaling into a convolution without padding, and quantized files compute theirs in integers.
 */
export function tfliteInputScaling(
  { operatorCodes, subgraphs, buffers }: TfliteModel,
  channels: number,
): InputScaling | undefined {
  const { inputs = [], operators = [], tensors = [] } = subgraphs[0] ?? {};
  const opOf = ({ opcodeIndex, builtinOptions }: Operator): string => {
    const op = builtinOperators[codeNumber(operatorCodes[opcodeIndex]!)] ?? 'CUSTOM';
    const isActivated = (builtinOptions?.['fusedActivationFunction'] ?? 0) !== 0;
    return (isActivated ? undefined : IN_ONNX[op]) ?? op;
  };
  const numbersAt = (index: number): Float32Array | undefined => {
    const { type, buffer } = tensors[index]!;
    const { data } = buffers[buffer]!;
    if (data === undefined || data.length === 0 || data.length > 4 * channels) return undefined;
    const { buffer: own } = new Uint8Array(data);
    if (tensorTypes[type] === 'float16') return fromHalfArray(new Uint16Array(own));
    return tensorTypes[type] === 'float32' ? new Float32Array(own) : undefined;
  };
  const stored = (index: number, name: number): OnnxTensor[] => {
    const numbers = index < 0 ? undefined : numbersAt(index);
    return numbers === undefined ? [] : [tensor(`${name}`, 'float32', [numbers.length], numbers)];
  };
  const widened = operators.filter((operator) => opOf(operator) === 'DEQUANTIZE');
  const nodes = operators.map((operator): OnnxNode => {
    const inputs = operator.inputs.map(String);
    return {
      op: opOf(operator),
      domain: '',
      name: '',
      inputs,
      outputs: operator.outputs.map(String),
      attrs: new Map(),
    };
  });
  const initializers = [
    ...tensors.flatMap((_, index) => stored(index, index)),
    // float16 files widen each stored tensor by an operator of its own.
    ...widened.flatMap(({ inputs: [from], outputs: [to] }) => stored(from!, to!)),
  ];
  const fed = inputs.map((index) => ({ name: `${index}` }));
  const graph = { name: '', nodes, initializers, inputs: fed, outputs: [], valueInfos: [] };
  return inputScaling({ graph }, channels);
}
