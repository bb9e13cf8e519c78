import type { TensorQuantization } from '../../../graph/quantization.ts';
import { asymmetric, heldRange, MOST_APART, symmetric } from '../../../graph/quantization.ts';
import type { Operation, Program } from '../lower/program.ts';
import { fixedQuantization, integerRules, noInt16 } from './rules.ts';

/**
 * Gives each value a scale that its operators allow: a prescribed one, or the operand's if operand and result must agree. Parts of a concatenation
 * without other readers are computed with the scale of the whole, so that nothing is rescaled.
 */
export function shareProgramScales(program: Program): void {
  const kind = program.operations.some((operation) =>
    operation.outputs.some((name) => program.value(name).quantization?.dtype === 'int16'),
  )
    ? 'int16'
    : 'int8';
  const ends = new Set(program.outputs.values());
  // The calibration left this value in float32.
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

/** Operators with several operands that must have the result's scale. */
const MERGING = new Set(['CONCATENATION', 'MAXIMUM', 'MINIMUM', 'SELECT_V2']);

/** The operand whose scale a result shares. */
function first({ op, inputs }: Operation): string {
  return op === 'SPLIT' ? inputs[1]! : inputs[0]!;
}

/**
 * Maximum ratio of a result's step to its operands'. A constant that exceeds it stands for infinity, such as a mask before a maximum: it is clipped
 * to the edge of the range, where it is still the minimum, and other values keep their precision.
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
  const outputQuantization = program.value(output).quantization;
  if (known.length === 0) return;
  const same = known.every(
    (one) => one.scales[0] === known[0]!.scales[0] && one.zeroPoints[0] === known[0]!.zeroPoints[0],
  );
  const constants = operation.inputs.filter((name) => program.data(name) instanceof Float32Array);
  const held = same ? known[0]! : widest(known);
  const beyond = constants.filter((name) => !holds(program, operation, name, held));
  if (
    outputQuantization === undefined &&
    beyond.some((name) => !(program.data(name) as Float32Array).every(Number.isFinite))
  )
    return;
  // The calibration left this value, or a part of it, in float32 for layers without integers: the scale of other parts would clip it.
  if (
    outputQuantization === undefined &&
    (known.length < parts.length || (operation.op === 'CONCATENATION' && isUnlike(known)))
  )
    return;
  const isShared = same && known.length === parts.length && beyond.length === 0;
  const wide = outputQuantization ?? around(program, widest(known), beyond);
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
 * Sets the scale of a value without other readers, and of its producers through operators that pass scales on, so that it is computed with this scale
 * from the start.
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

/** True if integers of this scale represent a constant's values, as far as they affect the result. */
function holds(program: Program, { op }: Operation, name: string, quantization: TensorQuantization): boolean {
  const [low, high] = heldRange(quantization);
  const half = quantization.scales[0]! / 2;
  return (program.data(name) as Float32Array).every(
    (value) => (op === 'MAXIMUM' || value >= low - half) && (op === 'MINIMUM' || value <= high + half),
  );
}

/** The range of a scale, widened to include some constants. */
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
