import type { TensorQuantization } from '../../../graph/quantization.ts';
import { constantScale, heldRange, termRange } from '../../../graph/quantization.ts';
import type { Operation, Program } from '../lower/program.ts';

/** Quantization of a constant operand, such as of an addition, by the range of its values. These kernels support a single scale. */
export function constantQuantization(program: Program, operation: Operation, name: string): TensorQuantization {
  const { data, quantization } = program.value(name);
  if (quantization?.scales.length === 1) return quantization;
  const likely = operation.inputs.map((input) => quantizationOf(program, input)).find((found) => found !== undefined);
  const dtype = likely?.dtype === 'int16' ? 'int16' : 'int8';
  const isSymmetric = dtype === 'int16' || operation.op === 'PRELU';
  return constantScale(data as Float32Array, dtype, relevant(program, operation, name), isSymmetric);
}

/** The part of a constant operand's range that affects the result, see `termRange`. */
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

/** Maximum ratio of an operand's scale to the result's that 32 bits hold: kernels rescale products, and operands of sums, by it. */
const MOST: Readonly<Record<string, Readonly<Record<'int8' | 'int16', number>>>> = {
  MUL: { int8: 1024, int16: 1 },
  // Sums are computed with 20 or 15 fractional bits, at twice the larger scale.
  ADD: { int8: 2 ** 19, int16: 2 ** 14 },
  SUB: { int8: 2 ** 19, int16: 2 ** 14 },
};

/** True if the scales of a sum or product are too far apart, as for a factor such as -1e9. */
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
