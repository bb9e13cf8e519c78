export type DeviceName = 'cpu' | 'webgpu' | 'cuda' | 'tensorrt' | 'coreml' | 'dml';
