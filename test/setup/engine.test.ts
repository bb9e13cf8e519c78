import { sessionOptionsOf } from '../../src/runtime/recipe-options.ts';
import { devices } from '../../src/runtime/onnxruntime/devices/devices.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';

const missing = devices().find(({ usable }) => !usable)!.name;

describe('how ONNX files are run for a recipe', () => {
  it('is on the cpu where the engine tensorflow has a device that ONNX Runtime has not', () => {
    const recipe = { device: missing, threads: 1 } as const;
    expect(sessionOptionsOf({ ...recipe, engine: 'tensorflow' }).executionProviders).toEqual(['cpu']);
    expect(() => sessionOptionsOf({ ...recipe, engine: 'onnxruntime' })).toThrow(`device ${missing} cannot be used`);
  });

  it('leaves what TensorRT cannot compute to CUDA, and that to the cpu', () => {
    expect(sessionOptions('tensorrt', {}).executionProviders).toEqual(['tensorrt', 'cuda', 'cpu']);
    expect(sessionOptions('cuda', {}).executionProviders).toEqual(['cuda', 'cpu']);
  });
});
