import type { TensorQuantization } from '../../../graph/quantization.ts';
import { constantScale, heldRange, termRange } from '../../../graph/quantization.ts';
import type { Operation, Program } from '../lower/program.ts';

/** A constant operand, e.g. of an addition: the range of its own values. No such kernel knows more than one scale. */
export function constantQuantization(program: Program, operation: Operation, name: string): TensorQuantization {
  const { data, quantization } = program.value(name);
  if (quantization?.scales.length === 1) return quantization;
  const likely = operation.inputs.map((input) => quantizationOf(program, input)).find((found) => found !== undefined);
  const dtype = likely?.dtype === 'int16' ? 'int16' : 'int8';
  const isSymmetric = dtype === 'int16' || operation.op === 'PRELU';
  return constantScale(data as Float32Array, dtype, relevant(program, operation, name), isSymmetric);
}

/** Range of a constant operand that matters for the result: see `termRange`. */
function relevant(
  program: Program,
  { op, inputs, outputs }: Operation,
  name: string,
): readonly [number, number] | undefined {
  const isFirst = inputs[0] === name;
  const [other, result] = [inputs[isFirst ? 1 : 0]!, outputs[0]!].map((value) => quantizationOf(program, value));
  if ((op !== 'ADD' && op !== 'SUB') || other === undefined || result === undefined) return undefined;
  if (op === 'ADD') return termRange(other, result);
  const [[low, high], [first, last]] = [heldRange(other), heldRange(result)];
  return isFirst ? [first + low, last + high] : [low - last, high - first];
}

function quantizationOf(program: Program, name: string): TensorQuantization | undefined {
  return name === '' ? undefined : program.value(name).quantization;
}

/** Largest scale over that of the result which 32 bits hold: kernels rescale a product, and operands of a sum, by it. */
const MOST: Readonly<Record<string, Readonly<Record<'int8' | 'int16', number>>>> = {
  MUL: { int8: 1024, int16: 1 },
  // Sums are computed with 20 bits behind the point, or 15, at twice the larger scale.
  ADD: { int8: 2 ** 19, int16: 2 ** 14 },
  SUB: { int8: 2 ** 19, int16: 2 ** 14 },
};

/** True if the scales of a sum or product lie too far apart, as those of a product with a factor such as -1e9 do. */
export function overflows(program: Program, operation: Operation): boolean {
  const most = MOST[operation.op];
  if (most === undefined) return false;
  const [a, b] = operation.inputs.map((name) => {
    const { data, quantization } = program.value(name);
    if (data === undefined) return quantization?.scales[0] ?? 0;
    return data instanceof Float32Array ? constantQuantization(program, operation, name).scales[0]! : 0;
  }) as [number, number];
  const { scales: [result = 1] = [], dtype } = program.value(operation.outputs[0]!).quantization ?? {};
  const scale = operation.op === 'MUL' ? a * b : Math.max(a, b);
  return scale / result >= most[dtype === 'int16' ? 'int16' : 'int8'];
}
