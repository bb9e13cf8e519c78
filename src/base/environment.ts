/** Sets variables that libtensorflow reads when it is loaded, which is to come after this. Your own settings stay. */
export function prepareTensorFlow({ threads = 0, gpu = true }: { threads?: number; gpu?: boolean } = {}): void {
  // Warnings and errors only.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  // It would take all memory of the GPU, which ONNX Runtime and other processes share.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (threads > 0) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  // The only way to the CPU with a library for CUDA: tfjs-node computes on the first GPU that is seen.
  if (!gpu) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
}
