import { UserError } from '../../../src/base/errors.ts';
import type { TensorData } from '../../../src/graph/types.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { builtinOperators } from '../../../src/formats/tflite/schema/operators.ts';
import type { OperatorCode } from '../../../src/formats/tflite/types.ts';
import { arithmetic } from './arithmetic.ts';
import type { Kernel, Rounding } from './kernel.ts';
import { layers } from './layers.ts';
import { reduce } from './reduce.ts';
import { shape } from './shape.ts';
import type { Simulated } from './tensor.ts';
import { constantOf, declared } from './tensor.ts';
import { unary } from './unary.ts';

const kernels: Readonly<Record<string, Kernel>> = { ...arithmetic, ...layers, ...reduce, ...shape, ...unary };

/** The operators that can be simulated. */
export const simulatedOperators: readonly string[] = Object.keys(kernels).sort();

export interface Simulation {
  /** Outputs by the names of the signature. */
  readonly outputs: Readonly<Record<string, TensorData>>;
  /** Value of one step of the integers behind an output, by its name; absent for outputs that are computed in float32. */
  readonly steps: Readonly<Record<string, number>>;
  /** Every tensor of the main subgraph that an operation computes, in order, by its name in the file. */
  readonly computed: readonly Simulated[];
}

/**
 * Computes a `.tflite` file integer by integer as TFLite's kernels do: float32 and 8-bit models of fixed shapes.
 * `feeds` are by the names of the signature, in the types of the file. Follows TFLite's 8-bit quantization specification
 * and, in what it leaves open, the kernels that `rounding` names. Throws a `UserError` for an operator that is not known.
 */
export function simulateTflite(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, TensorData>>,
  rounding: Rounding = 'xnnpack',
): Simulation {
  const model = readTflite(bytes);
  const main = model.subgraphs[0]!;
  const signature = model.signatureDefs?.[0];
  const known = new Map<number, Simulated>();
  const nameOf = (index: number, ends: 'inputs' | 'outputs'): string =>
    signature?.[ends].find(({ tensorIndex }) => tensorIndex === index)?.name ?? main.tensors[index]!.name;
  for (const index of main.inputs) {
    const name = nameOf(index, 'inputs');
    const data = feeds[name];
    if (data === undefined) throw new UserError(`input ${name} is not fed`, `Feed ${name}.`);
    known.set(index, { ...declared(main.tensors[index]!), data });
  }
  const valueOf = (index: number): Simulated | undefined => {
    if (index < 0) return undefined;
    const found = known.get(index) ?? constantOf(model, main.tensors[index]!);
    if (found === undefined) throw new UserError(`tensor ${index} is read before it is computed`, 'Export again.');
    known.set(index, found);
    return found;
  };
  const computed: Simulated[] = [];
  const sources = new Map<number, Simulated | undefined>();
  for (const operator of main.operators) {
    const op = operatorName(model.operatorCodes[operator.opcodeIndex]!);
    const kernel = kernels[op];
    if (kernel === undefined) throw new UserError(`${op} is not simulated`, 'Compare with the float model instead.');
    const outputs = operator.outputs.map((index) => declared(main.tensors[index]!));
    const inputs = operator.inputs.map(valueOf);
    const results = kernel({ op, inputs, outputs, options: operator.builtinOptions ?? {}, rounding });
    results.forEach((data, i) => {
      const result = { ...outputs[i]!, data };
      known.set(operator.outputs[i]!, result);
      computed.push(result);
      sources.set(operator.outputs[i]!, op === 'DEQUANTIZE' ? inputs[0] : result);
    });
  }
  const outputs = main.outputs.map((index) => [nameOf(index, 'outputs'), valueOf(index)!.data] as const);
  const steps = main.outputs.flatMap((index) => {
    const [scale] = sources.get(index)?.scales ?? [];
    return scale === undefined ? [] : [[nameOf(index, 'outputs'), scale] as const];
  });
  return { outputs: Object.fromEntries(outputs), steps: Object.fromEntries(steps), computed };
}

function operatorName({ customCode, builtinCode, deprecatedBuiltinCode }: OperatorCode): string {
  const number = Math.max(builtinCode, deprecatedBuiltinCode);
  return customCode ?? builtinOperators[number] ?? `operator ${number}`;
}
