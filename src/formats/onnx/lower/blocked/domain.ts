/** ONNX Runtime's own ops over blocked activations (https://github.com/microsoft/onnxruntime, core/graph/nchwc_schema_defs.cc). */
export const NCHWC = 'com.microsoft.nchwc';
/** ONNX Runtime's public additions to ONNX. */
export const MICROSOFT = 'com.microsoft';
