import { codeNumber } from '../../formats/tflite/runtime.ts';
import { builtinOperators } from '../../formats/tflite/schema/operators.ts';
import { tensorTypes } from '../../formats/tflite/schema/tensor-types.ts';
import type { TfliteModel } from '../../formats/tflite/types.ts';

const ALIGNMENT = 16;
/** Bytes that TensorFlow Lite Micro keeps for a tensor, an operator and an output channel of a convolution on 64-bit machines; devices need less. */
const [TENSOR, NODE, CHANNEL] = [24, 64 + 112, 8];
/** Part that is added: kernels of ESP-NN take room for themselves. */
const MARGIN = 1.15;

/** Name of each operator of a file. */
export function operatorsOf({ subgraphs, operatorCodes }: TfliteModel): string[] {
  const used = subgraphs.flatMap(({ operators }) => operators.map(({ opcodeIndex }) => operatorCodes[opcodeIndex]!));
  return used.map((code) => builtinOperators[codeNumber(code)] ?? 'CUSTOM');
}

/** Operators that ESPHome registers (`register_streaming_ops_`). */
export const DEVICE_OPERATORS: ReadonlySet<string> = new Set(
  [
    'CALL_ONCE VAR_HANDLE RESHAPE READ_VARIABLE STRIDED_SLICE CONCATENATION ASSIGN_VARIABLE CONV_2D MUL ADD MEAN',
    'FULLY_CONNECTED LOGISTIC QUANTIZE DEPTHWISE_CONV_2D AVERAGE_POOL_2D MAX_POOL_2D PAD PACK SPLIT_V',
  ].flatMap((line) => line.split(' ')),
);

/** Variables that ESPHome has room for. */
export const MOST_VARIABLES = 20;

/** Bytes of static memory of the usual board, an ESP32-S3. */
export const MOST_ARENA = 512 * 1024;

/** Estimate of the bytes that TensorFlow Lite Micro needs for a file: values that live at once, pasts, and what it keeps for tensors and operators. */
export function arenaOf({ subgraphs, buffers, operatorCodes }: TfliteModel): number {
  const [{ tensors, operators, outputs, inputs }] = subgraphs as [TfliteModel['subgraphs'][0]];
  const opOf = (index: number): string => builtinOperators[codeNumber(operatorCodes[index]!)] ?? '';
  const bytesOf = (index: number): number => {
    const { type, shape = [], buffer } = tensors[index]!;
    const size = BYTES[tensorTypes[type] ?? ''];
    if (size === undefined || (buffers[buffer]?.data?.length ?? 0) > 0) return 0;
    return Math.ceil((size * shape.reduce((a, b) => a * b, 1)) / ALIGNMENT) * ALIGNMENT;
  };
  const live = new Map<number, [first: number, last: number]>();
  operators.forEach((operator, at) => {
    for (const index of [...operator.inputs, ...operator.outputs])
      if (index >= 0) live.set(index, [live.get(index)?.[0] ?? at, at]);
  });
  for (const index of inputs) live.set(index, [0, live.get(index)?.[1] ?? 0]);
  for (const index of outputs) live.set(index, [live.get(index)?.[0] ?? 0, operators.length]);
  const peak = Math.max(
    ...operators.map((_, at) =>
      [...live].reduce((sum, [index, [first, last]]) => sum + (first <= at && at <= last ? bytesOf(index) : 0), 0),
    ),
  );
  const pasts = operators.filter(({ opcodeIndex }) => opOf(opcodeIndex) === 'READ_VARIABLE');
  const variables = pasts.reduce((sum, operator) => sum + bytesOf(operator.outputs[0]!), 0);
  const channels = operators
    .filter(({ opcodeIndex }) => opOf(opcodeIndex).includes('CONV_2D'))
    .reduce((sum, operator) => sum + tensors[operator.outputs[0]!]!.shape!.at(-1)!, 0);
  const all = subgraphs.reduce((sum, one) => sum + TENSOR * one.tensors.length + NODE * one.operators.length, 0);
  return Math.ceil((MARGIN * (peak + variables + CHANNEL * channels + all)) / ALIGNMENT) * ALIGNMENT;
}

const BYTES: Readonly<Record<string, number>> = { int8: 1, uint8: 1, int32: 4, float32: 4, int16: 2 };
