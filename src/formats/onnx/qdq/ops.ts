/** Ops with weights that ONNX Runtime and TensorRT compute in int8. */
export const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);
/** Ops on activations that they compute in int8. */
export const FREE: ReadonlySet<string> = new Set([
  ...['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool', 'LeakyRelu', 'Sigmoid'],
]);
/** Those of them that compute each value for itself, as cheaply in float32 as its operands are converted. */
export const ON_EACH_VALUE: ReadonlySet<string> = new Set(['Add', 'Mul', 'LeakyRelu', 'Sigmoid']);
/** Ops that leave the integers as they are. */
export const HANDING_ON: ReadonlySet<string> = new Set([
  ...['MaxPool', 'Reshape', 'Transpose', 'Slice', 'Gather', 'Flatten', 'Squeeze', 'Unsqueeze', 'Tile'],
]);
