import { bytesOf } from '../../base/typed-bytes.ts';
import type { TensorQuantization } from '../../graph/quantization.ts';
import { batchFactor } from '../../graph/shapes.ts';
import type { Operation, Program, TfliteValue } from './lower/program.ts';
import { oldestRuntime } from './releases.ts';
import { builtinOperators } from './schema/operators.ts';
import type { BuiltinOperator } from './schema/operators.ts';
import { tensorType } from './schema/tensor-types.ts';
import type { OperatorCode, TensorQuantizationFields, TfliteBuffer, TfliteModel, TfliteTensor } from './types.ts';
import { operatorVersion } from './versions.ts';

/** Metadata of a file, by name. */
export type Metadata = Readonly<Record<string, Uint8Array>>;

/** A program as a model: tensors numbered in order of use, equal constants stored once. `tensors`: numbers of its values by name. */
export function emit(
  program: Program,
  name: string,
  description: string,
  metadata: Metadata = {},
): { readonly model: TfliteModel; readonly tensors: ReadonlyMap<string, number> } {
  const emitter = new Emitter(program);
  return { model: emitter.model(name, description, metadata), tensors: emitter.tensors };
}

/** Numbers of contents, the same for equal bytes. */
class Contents {
  readonly #known = new Map<number, { readonly bytes: Uint8Array; readonly number: number }[]>();
  #count = 0;

  numberOf(bytes: Uint8Array): number {
    let hash = bytes.length;
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const alike = this.#known.get(hash) ?? [];
    this.#known.set(hash, alike);
    const same = (other: Uint8Array): boolean =>
      other.length === bytes.length && other.every((byte, i) => byte === bytes[i]);
    const found = alike.find((one) => same(one.bytes))?.number ?? this.#count++;
    alike.push({ bytes, number: found });
    return found;
  }
}

class Emitter {
  #program: Program;
  #tensors: TfliteTensor[] = [];
  readonly #buffers: TfliteBuffer[] = [{}];
  readonly #codes: { op: BuiltinOperator; version: number }[] = [];
  #indices = new Map<string, number>();
  /** Numbers of the main program's values. */
  readonly tensors: ReadonlyMap<string, number> = this.#indices;
  readonly #constants = new Map<string, number>();
  readonly #contents = new Contents();
  readonly #stored = new Map<number, number>();
  readonly #names = new Set<string>();
  readonly #outputNames: ReadonlyMap<string, string>;

  constructor(program: Program) {
    this.#program = program;
    this.#outputNames = new Map([...program.outputs].map(([name, value]) => [value, name]));
    for (const name of [...program.inputs.keys(), ...program.outputs.keys()]) this.#names.add(name);
  }

  model(name: string, description: string, metadata: Metadata): TfliteModel {
    const { inputs, outputs, operations, first } = this.#program;
    const inputIndices = [...inputs].map(([label, value]) => this.#tensor(value, label));
    const operators = operations.map((operation) => this.#operator(operation));
    const outputIndices = [...outputs.values()].map((value) => this.#tensor(value));
    const map = (names: Iterable<string>, indices: readonly number[]): { name: string; tensorIndex: number }[] =>
      [...names].map((label, i) => ({ name: label, tensorIndex: indices[i]! }));
    const main = { name, tensors: this.#tensors, inputs: inputIndices, outputs: outputIndices, operators };
    const subgraphs = first === undefined ? [main] : [main, this.#first(first)];
    const runtime = new Uint8Array(16);
    new TextEncoder().encodeInto(this.#oldestRuntime(), runtime);
    return {
      version: 3,
      description,
      operatorCodes: this.#codes.map(operatorCode),
      subgraphs,
      metadata: Object.entries({ min_runtime_version: runtime, ...metadata }).map(([label, data]) => {
        this.#buffers.push({ data });
        return { name: label, buffer: this.#buffers.length - 1 };
      }),
      buffers: this.#buffers,
      signatureDefs: [
        {
          signatureKey: 'serving_default',
          inputs: map(inputs.keys(), inputIndices),
          outputs: map(outputs.keys(), outputIndices),
        },
      ],
    };
  }

  /** The program that is run once, with tensors of its own. */
  #first(program: Program): TfliteModel['subgraphs'][0] {
    this.#program = program;
    this.#tensors = [];
    this.#indices = new Map();
    this.#constants.clear();
    const operators = program.operations.map((operation) => this.#operator(operation));
    return { name: 'first', tensors: this.#tensors, inputs: [], outputs: [], operators };
  }

  #oldestRuntime(): string {
    const release = oldestRuntime(this.#codes);
    if (release !== undefined) return release;
    throw new Error(`no release is known for one of ${JSON.stringify(this.#codes)}`);
  }

  #operator(operation: Operation): TfliteModel['subgraphs'][0]['operators'][0] {
    const opcodeIndex = this.#code(operation);
    return {
      opcodeIndex,
      inputs: operation.inputs.map((name) => (name === '' ? -1 : this.#tensor(name))),
      outputs: operation.outputs.map((name) => this.#tensor(name)),
      ...(operation.options === undefined ? {} : { builtinOptions: this.#options(operation) }),
    };
  }

  #options({ op, inputs, options }: Operation): NonNullable<Operation['options']> {
    // Without this the 16-bit kernels expect scales that are powers of two.
    const general = op === 'ADD' || op === 'SUB' ? this.#program.type(inputs[0]!).dtype === 'int16' : false;
    return general ? { ...options!, potScaleInt16: false } : options!;
  }

  #code(operation: Operation): number {
    const { op, inputs, outputs, options } = operation;
    const values = inputs.map((name) => (name === '' ? undefined : this.#program.value(name)));
    const result = outputs[0] === undefined ? undefined : this.#program.value(outputs[0]);
    const scales = [...values, result].map((value) => value?.quantization?.scales[0]);
    const version = operatorVersion({
      op,
      inputs: values.map((value) => value?.type),
      outputs: outputs.map((name) => this.#program.type(name)),
      options,
      perChannel: (values[1]?.quantization?.scales.length ?? 1) > 1,
      rescale: ((scales[0] ?? 0) * (scales[1] ?? 0)) / (scales[2] ?? 1),
    });
    const index = this.#codes.findIndex((code) => code.op === op && code.version === version);
    return index >= 0 ? index : this.#codes.push({ op, version }) - 1;
  }

  #tensor(name: string, label?: string): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const value = this.#program.value(name);
    const index = value.data === undefined ? this.#computed(name, value, label) : this.#constant(name, value);
    this.#indices.set(name, index);
    return index;
  }

  #computed(name: string, value: TfliteValue, label?: string): number {
    const requestedName = label ?? this.#outputNames.get(name);
    return this.#tensors.push(this.#describe(requestedName ?? this.#number(), value, 0)) - 1;
  }

  #constant(name: string, value: TfliteValue): number {
    const bytes = bytesOf(value.data!);
    const content = this.#contents.numberOf(bytes);
    const key = JSON.stringify([value.type, value.quantization, value.sparsity, content]);
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    let buffer = this.#stored.get(content);
    if (buffer === undefined) {
      buffer = bytes.length === 0 ? 0 : this.#buffers.push({ data: bytes }) - 1;
      this.#stored.set(content, buffer);
    }
    const index = this.#tensors.push(this.#describe(this.#number(), value, buffer)) - 1;
    this.#constants.set(key, index);
    return index;
  }

  /**
   * Name of a tensor in the model: its number in base 36. A name of three letters takes 8 bytes, a layer's name some 40 for each of its tensors.
   * Interpreters ignore names, but other converters need them to be distinct.
   */
  #number(): string {
    let number = this.#tensors.length;
    while (this.#names.has(number.toString(36))) number++;
    const name = number.toString(36);
    this.#names.add(name);
    return name;
  }

  #describe(name: string, { type, quantization, sparsity }: TfliteValue, buffer: number): TfliteTensor {
    const shape = type.shape.map((dim) => (typeof dim === 'number' ? dim : batchFactor(dim)));
    const dynamic = type.shape.some((dim) => typeof dim !== 'number');
    const signature = type.shape.map((dim) => (typeof dim === 'number' ? dim : -1));
    return {
      name,
      shape,
      ...(dynamic ? { shapeSignature: signature } : {}),
      // Distinguishes a scalar from a tensor of unknown rank.
      ...(shape.length === 0 ? { hasRank: true } : {}),
      type: tensorType(type.dtype),
      buffer,
      ...(quantization === undefined || !/^u?int/.test(type.dtype)
        ? {}
        : { quantization: storedQuantization(quantization) }),
      ...(sparsity === undefined ? {} : { sparsity }),
    };
  }
}

function storedQuantization({ scales, zeroPoints, axis }: TensorQuantization): TensorQuantizationFields {
  return {
    scale: scales,
    zeroPoint: zeroPoints.map((zeroPoint) => BigInt(zeroPoint)),
    ...(axis === undefined ? {} : { quantizedDimension: axis }),
  };
}

function operatorCode({ op, version }: { op: BuiltinOperator; version: number }): OperatorCode {
  const builtinCode = builtinOperators.indexOf(op);
  return { deprecatedBuiltinCode: Math.min(builtinCode, 127), version, builtinCode };
}
