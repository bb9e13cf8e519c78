import type { DenseScales, TensorQuantization } from '../../../graph/quantization.ts';
import { heldRange, withRoomForBias } from '../../../graph/quantization.ts';
import { weightInputs } from '../fuse/affine.ts';
import type { Operation, Program, TfliteValue } from '../lower/program.ts';
import { changed } from '../lower/program.ts';
import type { ModelDescription } from '../metadata/metadata.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { betweenFloat, ofDivisions } from './between.ts';
import { constantQuantization, overflows } from './constants.ts';
import { integerRules, noInt16 } from './rules.ts';
import { shareProgramScales } from './share.ts';
import { quantized, roundHalfAway, weightQuantization } from './weights.ts';

/** Type of the model's inputs and outputs. */
export type EndsType = 'float32' | 'int8' | 'uint8';

export interface IntegerOptions {
  readonly ends: EndsType;
  readonly outputEnds: EndsType;
  /** Scales of dense layers whose weights have none yet. */
  readonly dense: DenseScales;
  readonly keepFloat: (layer: string) => boolean;
  /** Inputs that take pictures, by their labels. */
  readonly inputs?: ModelDescription['inputs'];
}

/**
 * Quantizes a program to integers. Activations use their values' scales, weights their own or their ranges'. An operation without an integer kernel,
 * or with an activation of unknown range, stays float32 between a DEQUANTIZE and a QUANTIZE, and is reported; so does, without a report, an operation
 * between such operations or of a division.
 */
export function quantizeInteger(program: Program, options: IntegerOptions): Skipped[] {
  const { ends, outputEnds, dense, keepFloat, inputs } = options;
  if (ends !== 'float32') scaleAsPixels(program, inputs);
  shareProgramScales(program);
  // Repeated reasons of a layer's operations are reported once.
  const skipped = new Map<string, Skipped>();
  const skip = (what: string, why: string): void => void skipped.set(`${what}: ${why}`, { what, why });
  const conversion = new Conversion(program, dense);
  const operations = program.operations.splice(0);
  for (const [label, name] of program.inputs) {
    if (program.pasts.has(label)) {
      conversion.input(name, 'int8');
      continue;
    }
    const why = floatEnd(program, name, ends);
    if (why !== undefined) skip(`input ${label}`, why);
    conversion.input(name, why === undefined ? ends : 'float32');
  }
  const isKept = ({ layer, outputs }: Operation): boolean => keepFloat(layer ?? outputs[0]!);
  const divisions = ofDivisions(program, operations);
  const isFloatAnyway = (one: Operation): boolean =>
    isKept(one) || divisions.has(one) || obstacle(program, one) !== undefined;
  const between = betweenFloat(program, operations, isFloatAnyway);
  for (const operation of operations) {
    if (between.has(operation) || divisions.has(operation)) {
      conversion.float(operation);
      continue;
    }
    // Operations that only pass integers on do so in a float layer too, if they receive integers.
    const handsOn = integerRules.get(operation.op) === 'same' && conversion.hasInteger(operation.inputs[0]!);
    const why = !handsOn && isKept(operation) ? 'it is kept in float' : obstacle(program, operation);
    if (why === undefined) conversion.integer(operation);
    else conversion.float(operation);
    if (why !== undefined && isFloat(program, operation)) skip(operation.layer ?? operation.op, why);
  }
  const pasts = new Set(program.pasts.values());
  for (const [label, name] of program.outputs) {
    if (pasts.has(label)) {
      program.outputs.set(label, conversion.output(name, 'int8'));
      continue;
    }
    const why = floatEnd(program, name, outputEnds);
    if (why !== undefined) skip(`output ${label}`, why);
    program.outputs.set(label, conversion.output(name, why === undefined ? outputEnds : 'float32'));
  }
  return [...skipped.values()];
}

/** Most steps of the calibrated scale in a step of a byte: dark pictures use a part of the range. */
const COARSEST = 4;

/**
 * Gives inputs of pictures the scale at which an integer is a pixel's byte (less 128 for int8), which many programs feed whatever the file says,
 * MediaPipe among them. One scale cannot say it where mean and deviation differ by channel, and values that were not bytes, such as spectrograms,
 * keep the calibrated scale: bytes do not hold their range, or are too coarse for it.
 */
function scaleAsPixels(program: Program, inputs: IntegerOptions['inputs'] = {}): void {
  for (const [label, name] of program.inputs) {
    const { mean = [], std = [] } = inputs[label]?.image ?? {};
    const value = program.value(name);
    const [zero, ...others] = new Set(mean.map((pixel) => Math.round(pixel)));
    const isOne = others.length === 0 && new Set(std).size === 1;
    if (value.quantization?.dtype !== 'int8' || zero === undefined || !isOne || zero < 0 || zero > 255) continue;
    const step = Math.fround(1 / std[0]!);
    const asBytes: TensorQuantization = { dtype: 'int8', scales: [step], zeroPoints: [zero - 128] };
    const [calibrated] = value.quantization.scales as [number];
    const [[low, high], [first, last]] = [heldRange(value.quantization), heldRange(asBytes)];
    const isHeld = low >= first - calibrated - step && high <= last + calibrated + step;
    if (isHeld && step <= COARSEST * calibrated) program.values.set(name, { ...value, quantization: asBytes });
  }
}

/** Reason why an input or output of the model stays float32 although 8 bits were requested. */
function floatEnd(program: Program, name: string, ends: EndsType): string | undefined {
  const { type, quantization, data } = program.value(name);
  const isReal = type.dtype === 'float32' || quantization !== undefined;
  if (ends === 'float32' || !isReal || data !== undefined) return undefined;
  if (quantization === undefined) return `it is not ${ends}: its range is not known`;
  return quantization.dtype === 'int16' ? `it is not ${ends}: activations have 16 bits` : undefined;
}

function isFloat(program: Program, { inputs, outputs }: Operation): boolean {
  return [...inputs, ...outputs].some((name) => name !== '' && program.type(name).dtype === 'float32');
}

/** Reason why an operation cannot be computed in integers. */
function obstacle(program: Program, operation: Operation): string | undefined {
  const { op, inputs, outputs } = operation;
  const rule = integerRules.get(op);
  if (rule === undefined) return `${op} has no integer kernel`;
  const floats = [...inputs, ...outputs].filter((name) => name !== '' && program.type(name).dtype === 'float32');
  const weights = rule === 'weights' ? Object.values(weightInputs(op)).map((i) => inputs[i]) : [];
  for (const name of floats) {
    const { data, quantization } = program.value(name);
    if (weights.includes(name)) {
      if (data === undefined) return `its weights ${name} are computed`;
    } else if (data === undefined && quantization === undefined) return `the range of ${name} is not known`;
    else if (quantization?.dtype === 'int16' && noInt16.has(op)) return `${op} has no 16-bit kernel`;
  }
  return overflows(program, operation) ? 'its scales lie too far apart for integers' : undefined;
}

class Conversion {
  readonly #program: Program;
  readonly #dense: DenseScales;
  /** Integer and float32 form of each value, as far as they exist. */
  readonly #integers = new Map<string, string>();
  readonly #floats = new Map<string, string>();

  constructor(program: Program, dense: DenseScales) {
    this.#program = program;
    this.#dense = dense;
  }

  hasInteger(name: string): boolean {
    return this.#integers.has(name);
  }

  input(name: string, ends: EndsType): void {
    const value = this.#program.value(name);
    if (value.type.dtype !== 'float32') return;
    if (value.quantization === undefined || ends === 'float32') {
      this.#floats.set(name, name);
      return;
    }
    if (ends === 'uint8' && value.quantization.dtype === 'int8') {
      const inner = this.#program.add(`${name}/int8`, asInteger(value));
      this.#program.values.set(name, asInteger({ ...value, quantization: unsigned(value.quantization) }));
      this.#append({ op: 'QUANTIZE', inputs: [name], outputs: [inner] });
      this.#integers.set(name, inner);
      return;
    }
    this.#program.values.set(name, asInteger(value));
    this.#integers.set(name, name);
  }

  output(name: string, ends: EndsType): string {
    const { quantization, data } = this.#program.value(name);
    if (ends === 'float32' || quantization === undefined || data !== undefined) return this.#float(name);
    const integer = this.#integer(name);
    const value = this.#program.value(integer);
    if (ends !== 'uint8' || value.quantization!.dtype !== 'int8') return integer;
    const outer = this.#program.add(
      `${name}/uint8`,
      asInteger({ ...value, quantization: unsigned(value.quantization!) }),
    );
    this.#append({ op: 'QUANTIZE', inputs: [integer], outputs: [outer] });
    return outer;
  }

  /** Computes an operation in float32 and records the form of its results. */
  float(operation: Operation): void {
    this.#append(changed(operation, { inputs: operation.inputs.map((name) => this.#float(name)) }));
    for (const name of operation.outputs) {
      if (this.#program.type(name).dtype === 'float32') this.#floats.set(name, name);
    }
  }

  integer(operation: Operation): void {
    const rule = integerRules.get(operation.op)!;
    const inputs = rule === 'weights' ? this.#weighted(operation) : this.#operands(operation, rule === 'same');
    this.#append(changed(operation, { inputs }));
    for (const name of operation.outputs) {
      const value = this.#program.value(name);
      if (value.type.dtype !== 'float32') continue;
      this.#program.values.set(name, asInteger(value));
      this.#integers.set(name, name);
    }
  }

  #operands(operation: Operation, same: boolean): string[] {
    const { inputs, outputs } = operation;
    const shared = same ? this.#program.value(outputs[0]!).quantization : undefined;
    return inputs.map((name) => {
      const value = name === '' ? undefined : this.#program.value(name);
      if (value === undefined || (value.type.dtype !== 'float32' && !this.#integers.has(name))) return name;
      if (value.data !== undefined)
        return this.#constant(name, value, shared ?? constantQuantization(this.#program, operation, name));
      const integer = this.#integer(name);
      const integerValue = this.#program.value(integer);
      return shared === undefined || equal(integerValue.quantization!, shared)
        ? integer
        : this.#requantized(integer, integerValue, shared);
    });
  }

  #requantized(name: string, value: TfliteValue, quantization: TensorQuantization): string {
    const output = this.#program.add(`${name}/rescaled`, { ...value, quantization });
    this.#append({ op: 'QUANTIZE', inputs: [name], outputs: [output] });
    return output;
  }

  #constant(name: string, { type, data }: TfliteValue, quantization: TensorQuantization): string {
    const shape = type.shape as readonly number[];
    const values = quantized(data as Float32Array, shape, quantization);
    return this.#program.add(`${name}/integer`, {
      type: { dtype: quantization.dtype, shape },
      data: values,
      quantization,
    });
  }

  /** Inputs of an operation with filter and bias. A bias is added to sums of products, so its scale is the product of their scales. */
  #weighted(operation: Operation): string[] {
    const { op, inputs } = operation;
    const at = weightInputs(op);
    const x = op === 'TRANSPOSE_CONV' ? 2 : 0;
    const fed = this.#program.value(inputs[x]!);
    // A constant input, such as the initial state of a recurrent layer.
    const input =
      fed.data === undefined
        ? this.#integer(inputs[x]!)
        : this.#constant(inputs[x]!, fed, constantQuantization(this.#program, operation, inputs[x]!));
    const { dtype, scales } = this.#program.value(input).quantization!;
    const filter = this.#program.value(inputs[at.filter]!);
    const bias = this.#program.data(inputs[at.bias] ?? '') as Float32Array | undefined;
    const filterQuantization = weightQuantization(op, filter, this.#dense);
    // With 16-bit activations a bias has 64 bits, but the factor that rescales the sum to the result also ends at 2⁻³² of its step.
    const [step] = this.#program.value(operation.outputs[0]!).quantization!.scales as [number];
    const kept = dtype === 'int16' ? filterQuantization.scales.map(() => step / 2) : bias;
    const weights = withRoomForBias(filterQuantization, kept, scales[0]!);
    const shape = filter.type.shape as readonly number[];
    const stored = this.#program.add(`${inputs[at.filter]!}/int8`, {
      type: { dtype: 'int8', shape },
      data: quantized(filter.data as Float32Array, shape, weights, true),
      quantization: weights,
    });
    return inputs.map((name, i) => {
      if (i === x) return input;
      if (i === at.filter) return stored;
      return i === at.bias && bias !== undefined
        ? this.#bias(name, bias, scales[0]!, weights, dtype === 'int16')
        : name;
    });
  }

  /** 64 bits with 16-bit activations, as the kernels require. */
  #bias(name: string, bias: Float32Array, scale: number, weights: TensorQuantization, wide: boolean): string {
    const scales = weights.scales.map((weight) => Math.fround(scale * weight));
    const values = Array.from(bias, (value, i) => roundHalfAway(value / (scales[i] ?? scales[0]!)));
    const limit = (value: number): number => Math.min(2147483647, Math.max(-2147483648, value));
    return this.#program.add(`${name}/integer`, {
      type: { dtype: wide ? 'int64' : 'int32', shape: [bias.length] },
      data: wide ? BigInt64Array.from(values, (value) => BigInt(value)) : Int32Array.from(values, limit),
      quantization: {
        dtype: wide ? 'int64' : 'int32',
        scales,
        zeroPoints: scales.map(() => 0),
        ...(scales.length > 1 ? { axis: 0 } : {}),
      },
    });
  }

  /** Integer form of a value, quantized here if necessary. */
  #integer(name: string): string {
    const done = this.#integers.get(name);
    if (done !== undefined) return done;
    const output = this.#program.add(`${name}/integer`, asInteger(this.#program.value(name)));
    this.#append({ op: 'QUANTIZE', inputs: [name], outputs: [output] });
    this.#integers.set(name, output);
    return output;
  }

  /** Float32 form of a value, dequantized here if necessary. */
  #float(name: string): string {
    const integer = this.#integers.get(name);
    const done = this.#floats.get(name);
    if (done !== undefined || integer === undefined) return done ?? name;
    const { type } = this.#program.value(integer);
    const output = this.#program.add(`${name}/float`, { type: { dtype: 'float32', shape: type.shape } });
    this.#append({ op: 'DEQUANTIZE', inputs: [integer], outputs: [output] });
    this.#floats.set(name, output);
    return output;
  }

  #append(operation: Operation): void {
    this.#program.operations.push(operation);
  }
}

function asInteger(value: TfliteValue): TfliteValue {
  return { ...value, type: { dtype: value.quantization!.dtype, shape: value.type.shape } };
}

function unsigned({ scales, zeroPoints }: TensorQuantization): TensorQuantization {
  return { dtype: 'uint8', scales, zeroPoints: zeroPoints.map((zeroPoint) => zeroPoint + 128) };
}

function equal(a: TensorQuantization, b: TensorQuantization): boolean {
  return a.dtype === b.dtype && a.scales[0] === b.scales[0] && a.zeroPoints[0] === b.zeroPoints[0];
}
