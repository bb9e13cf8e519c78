import type { TensorQuantization } from '../../../graph/quantization.ts';
import { asymmetric, heldRange, MOST_APART, symmetric } from '../../../graph/quantization.ts';
import type { Operation, Program } from '../lower/program.ts';
import { fixedQuantization, integerRules, noInt16 } from './rules.ts';

/**
 * Gives each value the scale that the operators around it allow: prescribed ones where they are prescribed, the operand's
 * where operand and result must agree. Parts of a concatenation that nothing else reads are computed with the scale of the
 * whole, so that nothing needs to be rescaled.
 */
export function shareProgramScales(program: Program): void {
  const kind = program.operations.some((operation) =>
    operation.outputs.some((name) => program.value(name).quantization?.dtype === 'int16'),
  )
    ? 'int16'
    : 'int8';
  const ends = new Set(program.outputs.values());
  // The calibration left it in float32.
  const isLeftOut = (name: string): boolean => ends.has(name) && program.value(name).quantization === undefined;
  for (const operation of program.operations) {
    const rule = integerRules.get(operation.op);
    const isFixed =
      rule === 'fixed' && !(kind === 'int16' && noInt16.has(operation.op)) && !isLeftOut(operation.outputs[0]!);
    if (isFixed) set(program, operation.outputs[0]!, fixedQuantization(operation.op, kind));
    if (rule === 'same' && !MERGING.has(operation.op)) passOn(program, operation);
    if (MERGING.has(operation.op)) merge(program, operation);
  }
}

/** Operators with several operands, all of which get the scale of the result. */
const MERGING = new Set(['CONCATENATION', 'MAXIMUM', 'MINIMUM', 'SELECT_V2']);

/** The operand that a result shares its scale with. */
function first({ op, inputs }: Operation): string {
  return op === 'SPLIT' ? inputs[1]! : inputs[0]!;
}

/**
 * How much longer the step of a result may be than that of its operands. A constant that makes it longer stands for infinity, as masks before a
 * maximum do: it ends at the edge of the range, where it is still the least, and what it meets keeps its steps.
 */
const FAR = 256;

const isFar = (of: TensorQuantization, beside: TensorQuantization): boolean => of.scales[0]! > FAR * beside.scales[0]!;

function passOn(program: Program, operation: Operation): void {
  const found = program.value(first(operation)).quantization;
  if (found === undefined) return;
  const padded = operation.op === 'PADV2' ? program.value(operation.outputs[0]!).quantization : undefined;
  const isHeld = padded === undefined || isFar(padded, found) || holds(program, operation, operation.inputs[2]!, found);
  if (!isHeld) return;
  for (const output of operation.outputs) {
    if (program.type(output).dtype === 'float32') set(program, output, found);
  }
}

function merge(program: Program, operation: Operation): void {
  const output = operation.outputs[0]!;
  const parts = operation.inputs.filter((name) => {
    return program.type(name).dtype === 'float32' && program.data(name) === undefined;
  });
  const known = parts.map((name) => program.value(name).quantization).filter((found) => found !== undefined);
  const given = program.value(output).quantization;
  if (known.length === 0) return;
  const same = known.every(
    (one) => one.scales[0] === known[0]!.scales[0] && one.zeroPoints[0] === known[0]!.zeroPoints[0],
  );
  const constants = operation.inputs.filter((name) => program.data(name) instanceof Float32Array);
  const held = same ? known[0]! : widest(known);
  const beyond = constants.filter((name) => !holds(program, operation, name, held));
  if (given === undefined && beyond.some((name) => !(program.data(name) as Float32Array).every(Number.isFinite)))
    return;
  // The calibration left it, or a part of it, in float32 where no layer wants integers: a scale of the others would cut that part.
  if (given === undefined && (known.length < parts.length || (operation.op === 'CONCATENATION' && isUnlike(known))))
    return;
  const isShared = same && known.length === parts.length && beyond.length === 0;
  const wide = given ?? around(program, widest(known), beyond);
  const whole = isShared ? known[0]! : isFar(wide, widest(known)) ? widest(known) : wide;
  set(program, output, whole);
  const view = { uses: program.uses(), producers: program.producers() };
  for (const name of parts) adopt(program, view, name, whole);
}

interface View {
  readonly uses: ReadonlyMap<string, number>;
  readonly producers: ReadonlyMap<string, Operation>;
}

/**
 * Gives this scale to a value that nothing else reads, through operators that pass scales on, so that it is computed with it from the
 * start.
 */
function adopt(program: Program, view: View, name: string, quantization: TensorQuantization): void {
  const producer = view.producers.get(name);
  const rule = integerRules.get(producer?.op ?? '');
  if (producer === undefined || view.uses.get(name) !== 1 || program.value(name).quantization === undefined) return;
  if (rule === 'free' || rule === 'weights') set(program, name, quantization);
  if (rule !== 'same' || MERGING.has(producer.op) || producer.outputs.length > 1) return;
  adopt(program, view, first(producer), quantization);
  passOn(program, producer);
}

/** True if integers of this scale hold the values of a constant, as far as they can come out of the operator. */
function holds(program: Program, { op }: Operation, name: string, quantization: TensorQuantization): boolean {
  const [low, high] = heldRange(quantization);
  const half = quantization.scales[0]! / 2;
  return (program.data(name) as Float32Array).every(
    (value) => (op === 'MAXIMUM' || value >= low - half) && (op === 'MINIMUM' || value <= high + half),
  );
}

/** The range of a scale, widened to hold some constants. */
function around(program: Program, quantization: TensorQuantization, names: readonly string[]): TensorQuantization {
  if (names.length === 0) return quantization;
  let [low, high] = heldRange(quantization);
  for (const name of names) {
    for (const value of program.data(name) as Float32Array) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  return quantization.dtype === 'int16' ? symmetric([Math.max(-low, high)], 'int16') : asymmetric(low, high, 'int8');
}

function isUnlike(known: readonly TensorQuantization[]): boolean {
  const steps = known.map(({ scales }) => scales[0]!);
  return Math.max(...steps) > MOST_APART * Math.min(...steps);
}

function widest(known: readonly TensorQuantization[]): TensorQuantization {
  return known.reduce((a, b) => (b.scales[0]! > a.scales[0]! ? b : a));
}

function set(program: Program, name: string, quantization: TensorQuantization): void {
  program.values.set(name, { ...program.value(name), quantization });
}
