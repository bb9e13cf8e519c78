/** Ops with weights that ONNX Runtime and TensorRT compute in int8. */
export const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);
/** Ops on activations that they compute in int8. */
export const FREE: ReadonlySet<string> = new Set([
  'Add',
  'Mul',
  'Concat',
  'AveragePool',
  'GlobalAveragePool',
  'LeakyRelu',
  'Sigmoid',
]);
/** Elementwise ops among them, for which float32 costs no more than converting the operands. */
export const ON_EACH_VALUE: ReadonlySet<string> = new Set(['Add', 'Mul', 'LeakyRelu', 'Sigmoid']);
/** Ops that pass integers on unchanged. */
export const HANDING_ON: ReadonlySet<string> = new Set([
  'MaxPool',
  'Reshape',
  'Transpose',
  'Slice',
  'Gather',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Tile',
]);
