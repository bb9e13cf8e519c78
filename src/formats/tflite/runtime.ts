import { oldestRuntime, releaseOf } from './releases.ts';
import type { VersionedOperator } from './releases.ts';
import { builtinOperators } from './schema/operators.ts';
import { tensorTypes } from './schema/tensor-types.ts';
import type { OperatorCode, Subgraph, TfliteModel, TfliteTensor } from './types.ts';

/** A number from `builtinOperators`. Old files have the first field alone. */
export function codeNumber({ builtinCode, deprecatedBuiltinCode }: OperatorCode): number {
  return Math.max(builtinCode, deprecatedBuiltinCode);
}

export interface NeededRuntime {
  /** The oldest TensorFlow Lite that has all operators and computes them right, e.g. `2.3.0`; undefined where one is not known. */
  readonly minimumRuntime: string | undefined;
  /** The operators that need no older one. */
  readonly minimumRuntimeFor: readonly string[];
  /** Sentence on operators that no release of TensorFlow Lite by itself computes right. */
  readonly caution?: string;
}

/** Read off the operators, whatever the file says of it. */
export function runtimeOf(model: TfliteModel): NeededRuntime {
  const kernels = operatorsOf(model, neededKernel);
  const minimumRuntime = oldestRuntime(kernels);
  const asking = kernels.filter((kernel) => minimumRuntime === oldestRuntime([kernel]) && releaseOf(kernel) !== '1.5');
  const hasSums = operatorsOf(model, isSumOfIntegers).includes(true);
  return {
    minimumRuntime,
    minimumRuntimeFor: [...new Set(asking.map(({ op, version }) => `${op} v${version}`))],
    ...(hasSums && { caution: "sums of integers are right in LiteRT's XNNPACK kernels alone" }),
  };
}

/** Sentence for people: `runs in TensorFlow Lite 2.17.0 and later, for FULLY_CONNECTED v12`. */
export function runtimeSentence({ minimumRuntime, minimumRuntimeFor, caution }: NeededRuntime): string {
  if (minimumRuntime === undefined)
    return 'runs in a TensorFlow Lite that has all its operators: of one it is not known since when';
  const operators = minimumRuntimeFor.length === 0 ? '' : `, for ${minimumRuntimeFor.join(', ')}`;
  return `runs in TensorFlow Lite ${minimumRuntime} and later${operators}${caution === undefined ? '' : `; ${caution}`}`;
}

/** Sentence on what TensorFlow Lite 2.9 would compute wrong without a word; undefined if there is nothing. */
export function wrongInTensorflow29(model: TfliteModel): string | undefined {
  return operatorsOf(model, (code, inputs, outputs) => {
    if (isSumOfIntegers(code, inputs)) return 'its kernel for sums of integers is wrong';
    if (isUnevenAddition(code, inputs, outputs))
      return "it adds integers wrong where the scale of one is less than 1/1024 of the result's";
    if (hasScalesByOutput(code, inputs)) return 'it takes the first scale of a dense layer for all its outputs';
    return undefined;
  }).find((problem) => problem !== undefined);
}

/** TensorFlow Lite's own kernels are off by more than the largest sum that there is. */
function isSumOfIntegers(code: OperatorCode, inputs: readonly (TfliteTensor | undefined)[]): boolean {
  const dtype = tensorTypes[inputs[0]?.type ?? 0] ?? '';
  return builtinOperators[codeNumber(code)] === 'SUM' && ['int8', 'uint8'].includes(dtype);
}

/** XNNPACK of that time takes ratios of scales from 2^-10 on, and is off by several steps below. */
function isUnevenAddition(code: OperatorCode, inputs: Tensors, [result]: Tensors): boolean {
  const isAddition = ['ADD', 'SUB'].includes(builtinOperators[codeNumber(code)] ?? '');
  const dtype = tensorTypes[result?.type ?? 0] ?? '';
  const scaleOf = (tensor: TfliteTensor | undefined): number => tensor?.quantization?.scale?.[0] ?? NaN;
  const isFine = (tensor: TfliteTensor | undefined): boolean => scaleOf(tensor) / scaleOf(result) < 2 ** -10;
  return isAddition && ['int8', 'uint8'].includes(dtype) && inputs.some(isFine);
}

function neededKernel(code: OperatorCode, inputs: readonly (TfliteTensor | undefined)[]): VersionedOperator {
  const op = builtinOperators[codeNumber(code)] ?? 'CUSTOM';
  return { op, version: hasScalesByOutput(code, inputs) ? Math.max(12, code.version) : code.version };
}

/** Google's converter writes version 4 there, which runtimes before 2.17 run and get wrong. */
function hasScalesByOutput(code: OperatorCode, inputs: readonly (TfliteTensor | undefined)[]): boolean {
  const isDense = builtinOperators[codeNumber(code)] === 'FULLY_CONNECTED';
  return isDense && (inputs[1]?.quantization?.scale?.length ?? 0) > 1;
}

type Tensors = readonly (TfliteTensor | undefined)[];

function operatorsOf<T>(
  { subgraphs, operatorCodes }: TfliteModel,
  see: (code: OperatorCode, inputs: Tensors, outputs: Tensors) => T,
): T[] {
  return subgraphs.flatMap(({ operators, tensors }: Subgraph) => {
    const at = (indexes: readonly number[]): Tensors => indexes.map((index) => tensors[index]);
    return operators.map(({ opcodeIndex, inputs, outputs }) =>
      see(operatorCodes[opcodeIndex]!, at(inputs), at(outputs)),
    );
  });
}
