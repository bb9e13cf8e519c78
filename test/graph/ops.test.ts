import { opNames, opSpec } from '../../src/graph/ops.ts';
import { elementwise } from '../../src/graph/ops/elementwise.ts';
import type { Degree, OpSpec } from '../../src/graph/ops/spec.ts';
import { examples } from '../formats/onnx/ops/examples.ts';
import { runOp } from '../formats/onnx/ops/harness.ts';
import type { Operand } from '../formats/onnx/ops/harness.ts';

/** The results of an op's example in one list, computed by ONNX Runtime, with some of its operands changed. */
function results(op: string, change: (data: Operand['data'], i: number) => Operand['data'] = (data) => data): number[] {
  const { operands, attrs } = examples[op as keyof typeof examples];
  const given = operands.map((operand, i) => operand && { ...operand, data: change(operand.data, i) });
  return runOp(op, given, attrs).flatMap((data) => Array.from(data as Float32Array, Number));
}

const operandsOf = (op: string): readonly (Operand | undefined)[] => examples[op as keyof typeof examples].operands;
const isClose = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => Math.abs(value - b[i]!) < 1e-4);
const scaled =
  (by: number, place = 0) =>
  (data: Operand['data'], i: number) =>
    i === place ? (data as Float32Array).map((value) => value * by) : data;

/** The least degree that the results of an example have. */
function degreeOf(op: string): Degree | undefined {
  const [first, ...others] = operandsOf(op);
  if (first?.dtype !== 'float32') return undefined;
  const [given, found] = [[...(first.data as Float32Array)], results(op)];
  const isOdd = isClose(
    results(op, scaled(-1)),
    found.map((value) => -value),
  );
  const isIn = found.every((value) => given.includes(value));
  if (isIn && found.join() === given.join()) return 'kept';
  if (isIn && isOdd && others.length === 0 && new Set(found).size === found.length)
    return found.length === given.length && op !== 'Split' ? 'moved' : 'cut';
  if (isIn) return 'chosen';
  const shifted = results(op, (data, i) => (i === 0 ? (data as Float32Array).map((value) => value + 0.3) : data));
  const isMean = isOdd && isClose(shifted, found.map((value) => value + 0.3)); // prettier-ignore
  return others.length === 0 && isMean ? 'averaged' : undefined;
}

function zeroOf(op: string): OpSpec['zero'] {
  const without = (isZero: (i: number) => boolean): boolean =>
    results(op, (data, i) => (isZero(i) ? data.map(() => 0 as never) : data)).every((n) => n === 0);
  const places = operandsOf(op).map((_, place) => without((i) => i === place));
  if (places.length > 1 && places.every(Boolean)) return 'any';
  if (places[0] === true) return 'first';
  return without(() => true) ? 'all' : undefined;
}

describe('what is said of each op is so where ONNX Runtime computes its example', () => {
  it.each(opNames)('%s hands on its operand', (op) => {
    // The runtimes give a mean a scale of its own.
    expect(op === 'Mean' ? undefined : degreeOf(op)).toBe(opSpec(op).handsOn);
  });

  // Their attributes, or the operands behind the first, decide.
  const others = ['ClipByValue', 'Select'];
  const numeric = Object.keys(elementwise).filter(
    (op) => !others.includes(op) && operandsOf(op)[0]?.dtype !== 'bool' && !/^Is|Equal|Greater|Less/.test(op),
  );
  it.each(numeric)('%s is zero where its operands are', (op) => {
    expect(zeroOf(op)).toBe(opSpec(op).zero);
  });

  it.each(opNames)('%s is a product', (op) => {
    const isFloat = operandsOf(op).length === 2 && operandsOf(op).every((operand) => operand?.dtype === 'float32');
    const twice = results(op).map((value) => 2 * value);
    const isBilinear = [0, 1].every((place) => isFloat && isClose(results(op, scaled(2, place)), twice));
    expect(isBilinear && !(op in elementwise)).toBe(opSpec(op).product !== undefined);
  });
});
