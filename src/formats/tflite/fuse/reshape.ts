import { sameShape } from '../../../graph/shapes.ts';
import { changed } from '../lower/program.ts';
import type { Program } from '../lower/program.ts';
import type { FusionRule } from './rewrite.ts';

/** Drops a reshape to the present shape, and merges a reshape of a reshape. */
export const dropReshape: FusionRule = (operation, { program, only, producer }) => {
  if (operation.op !== 'RESHAPE') return undefined;
  const [x, sizes] = operation.inputs as [string, string];
  const isOutput = [...program.outputs.values()].includes(operation.outputs[0]!);
  const keepsShape = sameShape(program.type(x).shape, program.type(operation.outputs[0]!).shape);
  if (keepsShape && !isOutput) return { same: x };
  const before = producer(x);
  // Further results of its producer would be lost.
  if (keepsShape && only(x)?.outputs.length === 1)
    return { insert: [changed(before!, { outputs: [operation.outputs[0]!] })] };
  if (before?.op !== 'RESHAPE') return undefined;
  return { insert: [changed(operation, { inputs: [before.inputs[0]!, sizes] })] };
};

const UNARY = new Set(['RELU', 'RELU6', 'RELU_N1_TO_1', 'LOGISTIC', 'TANH', 'HARD_SWISH', 'ELU', 'LEAKY_RELU', 'GELU']);
const BINARY = new Set(['ADD', 'SUB', 'MUL']);

/**
 * Moves an elementwise operation, with constants that vary along the last axis only, before a reshape that keeps the last axis. tfjs reshapes a batch
 * norm's input to four axes and back, and a dense layer's input to two: the reshapes then meet and cancel, and the constants reach the layer into
 * which they are folded.
 */
export const moveReshapeDown: FusionRule = (operation, { program, only }) => {
  const [a, b] = operation.inputs as [string, string | undefined];
  if (!UNARY.has(operation.op) && !BINARY.has(operation.op)) return undefined;
  const reshape = only(a);
  if (reshape?.op !== 'RESHAPE') return undefined;
  if (BINARY.has(operation.op) && !(b !== undefined && alongLastAxis(program, b))) return undefined;
  const [x] = reshape.inputs as [string];
  const [from, to] = [program.type(x), program.type(a)];
  const output = operation.outputs[0]!;
  if (from.shape.at(-1) !== to.shape.at(-1) || !sameShape(program.type(output).shape, to.shape)) return undefined;
  if (b !== undefined && program.type(b).shape.length > 1) return undefined;
  const { quantization } = program.value(output);
  const moved = program.add(`${output}/flat`, {
    type: { dtype: program.type(output).dtype, shape: from.shape },
    ...(quantization === undefined ? {} : { quantization }),
  });
  return {
    insert: [
      changed(operation, { inputs: [x, ...operation.inputs.slice(1)], outputs: [moved] }),
      changed(reshape, { inputs: [moved, ...reshape.inputs.slice(1)], outputs: [output] }),
    ],
  };
};

function alongLastAxis(program: Program, name: string): boolean {
  const { data, type } = program.value(name);
  return data !== undefined && type.shape.slice(0, -1).every((dim) => dim === 1);
}

/** Drops reshapes around a fully connected layer that keep the last axis, on which it works whatever the others. */
export const dropReshapeAroundFullyConnected: FusionRule = (operation, { program, only, producer }) => {
  if (operation.op === 'FULLY_CONNECTED') {
    const before = producer(operation.inputs[0]!);
    if (before?.op !== 'RESHAPE' || operation.options?.keepNumDims) return undefined;
    const x = before.inputs[0]!;
    const reshaped = program.type(operation.inputs[0]!).shape;
    if (program.type(x).shape.at(-1) !== reshaped.at(-1) || reshaped.length !== 2) return undefined;
    return { insert: [changed(operation, { inputs: [x, ...operation.inputs.slice(1)] })] };
  }
  if (operation.op !== 'RESHAPE') return undefined;
  const layer = only(operation.inputs[0]!);
  if (layer?.op !== 'FULLY_CONNECTED') return undefined;
  const [wanted, input] = [program.type(operation.outputs[0]!).shape, program.type(layer.inputs[0]!).shape];
  if (
    !sameShape(wanted.slice(0, -1), input.slice(0, -1)) ||
    wanted.at(-1) !== program.type(layer.outputs[0]!).shape.at(-1)
  )
    return undefined;
  const options = { ...layer.options!, keepNumDims: true };
  return { insert: [changed(layer, { outputs: operation.outputs, options })] };
};
