import { oldestRuntime, releaseOf } from './releases.ts';
import type { VersionedOperator } from './releases.ts';
import { builtinOperators } from './schema/operators.ts';
import { tensorTypes } from './schema/tensor-types.ts';
import type { OperatorCode, Subgraph, TfliteModel, TfliteTensor } from './types.ts';

/** Index into `builtinOperators`. Old files have only the deprecated field. */
export function codeNumber({ builtinCode, deprecatedBuiltinCode }: OperatorCode): number {
  return Math.max(builtinCode, deprecatedBuiltinCode);
}

export interface NeededRuntime {
  /** The oldest TensorFlow Lite that has all operators and computes them correctly, such as `2.3.0`; undefined if one is unknown. */
  readonly minimumRuntime: string | undefined;
  /** The operators that require this version. */
  readonly minimumRuntimeFor: readonly string[];
  /** Sentence on operators that no release of TensorFlow Lite computes correctly by itself. */
  readonly caution?: string;
}

/** The needed runtime according to the operators, whatever the file claims. */
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

/** Sentence for messages: `runs in TensorFlow Lite 2.17.0 and later, for FULLY_CONNECTED v12`. */
export function runtimeSentence({ minimumRuntime, minimumRuntimeFor, caution }: NeededRuntime): string {
  if (minimumRuntime === undefined)
    return 'runs in a TensorFlow Lite that has all its operators: of one it is not known since when';
  const operators = minimumRuntimeFor.length === 0 ? '' : `, for ${minimumRuntimeFor.join(', ')}`;
  return `runs in TensorFlow Lite ${minimumRuntime} and later${operators}${caution === undefined ? '' : `; ${caution}`}`;
}

/** Sentence on operators that TensorFlow Lite 2.9 silently computes wrongly; undefined without any. */
export function wrongInTensorflow29(model: TfliteModel): string | undefined {
  return operatorsOf(model, (code, inputs, outputs) => {
    if (isSumOfIntegers(code, inputs)) return 'its kernel for sums of integers is wrong';
    if (isUnevenAddition(code, inputs, outputs))
      return "it adds integers wrong where the scale of one is less than 1/1024 of the result's";
    if (hasScalesByOutput(code, inputs)) return 'it takes the first scale of a dense layer for all its outputs';
    return undefined;
  }).find((problem) => problem !== undefined);
}

/** True for a sum of integers: errors of TensorFlow Lite's own kernels exceed the largest possible sum. */
function isSumOfIntegers(code: OperatorCode, inputs: readonly (TfliteTensor | undefined)[]): boolean {
  const dtype = tensorTypes[inputs[0]?.type ?? 0] ?? '';
  return builtinOperators[codeNumber(code)] === 'SUM' && ['int8', 'uint8'].includes(dtype);
}

/** True for additions with a ratio of scales below 2^-10, for which XNNPACK of that release is off by several steps. */
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

/** True for scales by output: Google's converter writes version 4 for them, which runtimes before 2.17 accept and compute wrongly. */
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
