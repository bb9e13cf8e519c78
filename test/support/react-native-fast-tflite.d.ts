/** Part of the package's types that a kit's sample for React Native uses; the package itself needs an app around it. */
declare module 'react-native-fast-tflite' {
  export function loadTensorflowModel(file: number): Promise<{
    run(inputs: readonly (Float32Array | Int32Array)[]): Promise<readonly (Float32Array | Int32Array)[]>;
  }>;
}
