import { divisorsOf, reciprocalsOf } from '../../../graph/quantization.ts';
import type { Operation, Program } from '../lower/program.ts';
import { integerRules } from './rules.ts';

/**
 * Operations between float32 ones: they compute with a number from a float32 operation, and only float32 operations read their results. In integers
 * they would cost conversions and precision, such as the mean of token vectors, whose sum and number of tokens are divided in float32.
 */
export function betweenFloat(
  program: Program,
  operations: readonly Operation[],
  isFloat: (operation: Operation) => boolean,
): ReadonlySet<Operation> {
  const float = new Set(operations.filter(isFloat));
  let found = new Set(operations.filter((one) => !float.has(one) && isLight(program, one)));
  for (let before = Infinity; found.size < before;) {
    before = found.size;
    found = fedByFloat(program, operations, float, readByFloat(program, operations, float, found));
  }
  return found;
}

type Operations = ReadonlySet<Operation>;

/** Operations in `among` whose results only float32 operations and each other read. */
function readByFloat(program: Program, operations: readonly Operation[], float: Operations, among: Operations) {
  const read = new Set(program.outputs.values());
  const found = new Set<Operation>();
  // In reverse order: an operation is kept only if all readers of its result are.
  for (const operation of operations.toReversed()) {
    if (among.has(operation) && !operation.outputs.some((name) => read.has(name))) found.add(operation);
    else if (!float.has(operation)) operation.inputs.forEach((name) => read.add(name));
  }
  return found;
}

/** Operations in `among` with an operand from a float32 operation or from each other. */
function fedByFloat(program: Program, operations: readonly Operation[], float: Operations, among: Operations) {
  const floatResults = new Set<string>();
  const found = new Set<Operation>();
  const isGiven = (name: string): boolean => floatResults.has(name) && program.type(name).dtype === 'float32';
  for (const operation of operations) {
    if (among.has(operation) && operation.inputs.some(isGiven)) found.add(operation);
    if (float.has(operation) || found.has(operation)) operation.outputs.forEach((name) => floatResults.add(name));
  }
  return found;
}

/** True if float32 costs no more than converting the operands, and no constants would become four times as large. */
function isLight(program: Program, { op, inputs, outputs }: Operation): boolean {
  if (integerRules.get(op) === 'weights') return false;
  const isLarge = (name: string): boolean =>
    name !== '' && program.type(name).dtype === 'float32' && (program.data(name)?.length ?? 0) > 1;
  if (inputs.some(isLarge)) return false;
  return op !== 'BATCH_MATMUL' || program.type(outputs[0]!).shape.slice(-2).includes(1);
}

/** Operations without weights whose results are divisors (`divisorsOf`), and products with reciprocals. */
export function ofDivisions(program: Program, operations: readonly Operation[]): Operations {
  const divisors = divisorsOf(operations, new Set(program.outputs.values()));
  const reciprocals = reciprocalsOf(operations, (name) => program.data(name) !== undefined);
  const divides = ({ op, inputs }: Operation): boolean => op === 'MUL' && inputs.some((name) => reciprocals.has(name));
  const isDivisor = ({ op, outputs }: Operation): boolean =>
    integerRules.get(op) !== 'weights' && outputs.every((name) => divisors.has(name));
  return new Set(operations.filter((one) => divides(one) || isDivisor(one)));
}
