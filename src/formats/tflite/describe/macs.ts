import type { Operator, TfliteTensor } from '../types.ts';

/** Multiply-accumulates of a layer in one call; null if it has some that cannot be counted. */
export function layerMacs(
  op: string,
  inputs: readonly (TfliteTensor | undefined)[],
  output: TfliteTensor | undefined,
  options: Operator['builtinOptions'],
): number | null {
  const filter = inputs[1]?.shape;
  switch (op) {
    case 'CONV_2D':
      return size(output?.shape) * size(filter?.slice(1));
    case 'DEPTHWISE_CONV_2D':
      return size(output?.shape) * size(filter?.slice(1, 3));
    case 'FULLY_CONNECTED':
      return size(output?.shape) * (filter?.at(-1) ?? 0);
    case 'TRANSPOSE_CONV':
      return size(inputs[2]?.shape) * size(filter?.slice(0, 3));
    case 'CONV_3D':
      // Depth, height, width, in, out.
      return size(output?.shape) * size(filter?.slice(0, 4));
    case 'BATCH_MATMUL':
      return size(output?.shape) * (inputs[0]?.shape?.at(options?.adjX === true ? -2 : -1) ?? 0);
    case 'UNIDIRECTIONAL_SEQUENCE_LSTM': {
      // Each step of each sequence uses the matrices of input, recurrence and projection once.
      const steps = size(inputs[0]?.shape?.slice(0, -1));
      const matrices = [...inputs.slice(1, 9), inputs[16]].filter((tensor) => tensor?.shape?.length === 2);
      return steps * matrices.reduce((sum, tensor) => sum + size(tensor!.shape), 0);
    }
    default:
      return UNCOUNTED.has(op) ? null : 0;
  }
}

/** Operators that multiply, or run another subgraph, and are not counted. */
const UNCOUNTED = new Set([
  'LSTM',
  'RNN',
  'SVDF',
  'UNIDIRECTIONAL_SEQUENCE_RNN',
  'BIDIRECTIONAL_SEQUENCE_RNN',
  'BIDIRECTIONAL_SEQUENCE_LSTM',
  'CONV_3D_TRANSPOSE',
  'CALL',
  'IF',
  'WHILE',
  'CUSTOM',
]);

function size(shape: readonly number[] | undefined): number {
  return (shape ?? []).reduce((a, b) => a * b, 1);
}
