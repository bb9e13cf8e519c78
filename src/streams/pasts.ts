import type { DType, TensorData, TensorType } from '../graph/types.ts';
import { changed, Program } from '../formats/tflite/lower/program.ts';
import type { Operation, TfliteValue } from '../formats/tflite/lower/program.ts';

/** Handle of a variable: https://www.tensorflow.org/lite/api_docs, `kTfLiteResource`. Graphs have no such type. */
const HANDLE = { dtype: 'resource' as DType, shape: [] } satisfies TensorType;

/**
 * Makes variables of the pasts of a stream, as streaming files of TensorFlow have them: each is read where it is needed and assigned as soon as its
 * next content is there. A second program, called once, assigns zeros.
 */
export function storePasts(program: Program): void {
  if (program.pasts.size === 0) return;
  const first = new Program();
  const [handles, updates] = [new Map<string, string>(), new Map<string, string[]>()];
  for (const [label, next] of program.pasts) {
    const value = program.inputs.get(label)!;
    const update = asPast(program, program.outputs.get(next)!, program.value(value));
    program.inputs.delete(label);
    program.outputs.delete(next);
    handles.set(value, label);
    updates.set(update, [...(updates.get(update) ?? []), label]);
    assignZeros(first, label, program.value(value));
  }
  program.operations = withVariables(program, handles, updates).map((operation) => asStrided(program, operation));
  program.operations.unshift({
    op: 'CALL_ONCE',
    inputs: [],
    outputs: [],
    options: { type$: 'CallOnceOptions', initSubgraphIndex: 1 },
  });
  program.first = first;
}

/** A slice as a strided one: devices that run streams, such as those of ESPHome, have no other. */
function asStrided(program: Program, operation: Operation): Operation {
  if (operation.op !== 'SLICE') return operation;
  const [input, begin, size] = operation.inputs as [string, string, string];
  const { shape } = program.type(input);
  const [from, count] = [begin, size].map((name) => Array.from(program.data(name) as Int32Array)) as [
    number[],
    number[],
  ];
  const to = from.map((start, i) => (count[i]! >= 0 ? start + count[i]! : typeof shape[i] === 'number' ? shape[i] : 1));
  const ends = program.ints(to, 'end');
  const steps = program.ints(
    to.map(() => 1),
    'strides',
  );
  return changed(operation, {
    op: 'STRIDED_SLICE',
    inputs: [input, begin, ends, steps],
    options: { type$: 'StridedSliceOptions' },
  });
}

function handle(program: Program, label: string): Operation {
  const output = program.add(`${label}/handle`, { type: HANDLE });
  return {
    op: 'VAR_HANDLE',
    inputs: [],
    outputs: [output],
    options: { type$: 'VarHandleOptions', container: '', sharedName: label },
  };
}

function assigned(handleOf: string, value: string): Operation {
  return { op: 'ASSIGN_VARIABLE', inputs: [handleOf, value], outputs: [], options: { type$: 'AssignVariableOptions' } };
}

function withVariables(
  program: Program,
  handles: ReadonlyMap<string, string>,
  updates: ReadonlyMap<string, readonly string[]>,
): Operation[] {
  const known = new Map<string, string>();
  const found: Operation[] = [];
  for (const operation of program.operations) {
    for (const value of operation.inputs) {
      const label = handles.get(value);
      if (label === undefined || known.has(label)) continue;
      const made = handle(program, label);
      known.set(label, made.outputs[0]!);
      const options = { type$: 'ReadVariableOptions' };
      found.push(made, { op: 'READ_VARIABLE', inputs: made.outputs, outputs: [value], options });
    }
    found.push(operation);
    for (const value of operation.outputs)
      for (const label of updates.get(value) ?? []) found.push(assigned(known.get(label)!, value));
  }
  return found;
}

/** The next content in the numbers of the past, which are another scale's where the kernel that computes it prescribes one. */
function asPast(program: Program, update: string, past: TfliteValue): string {
  const { type, quantization } = program.value(update);
  const isSame =
    type.dtype === past.type.dtype &&
    (type.dtype === 'float32' || JSON.stringify(quantization) === JSON.stringify(past.quantization));
  if (isSame) return update;
  const output = program.add(`${update}/past`, past);
  program.operations.push({
    op: past.type.dtype === 'float32' ? 'DEQUANTIZE' : 'QUANTIZE',
    inputs: [update],
    outputs: [output],
  });
  return output;
}

function assignZeros(first: Program, label: string, { type, quantization }: TfliteValue): void {
  const size = (type.shape as readonly number[]).reduce((a, b) => a * b, 1);
  const zero = quantization?.zeroPoints[0] ?? 0;
  const arrays: Partial<Record<DType, TensorData>> = {
    float32: new Float32Array(size),
    int8: new Int8Array(size).fill(zero),
    int16: new Int16Array(size),
  };
  const made = handle(first, label);
  const zeros = first.add(`${label}/zeros`, { type, data: arrays[type.dtype]!, ...(quantization && { quantization }) });
  first.operations.push(made, assigned(made.outputs[0]!, zeros));
}
