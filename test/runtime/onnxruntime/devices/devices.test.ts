import type { UserError } from '../../../../src/base/errors.ts';
import { automatic, chooseDevice, devices } from '../../../../src/runtime/onnxruntime/devices/devices.ts';
import { convolves } from '../../../../src/runtime/onnxruntime/devices/device-probe.ts';
import { createOnnxRuntimeEngine } from '../../../../src/runtime/onnxruntime/engine.ts';

describe('devices', () => {
  it('names every device with a reason, and the cpu works', () => {
    expect(devices().map(({ name }) => name)).toEqual(['cpu', 'webgpu', 'cuda', 'tensorrt', 'coreml', 'dml']);
    expect(devices()[0]).toEqual({ name: 'cpu', usable: true, reason: 'works' });
    for (const { reason } of devices()) expect(reason).toMatch(/\S/);
  });

  it('takes the best usable one for auto', () => {
    const usable = devices().flatMap(({ name, usable }) => (usable ? [name] : []));
    expect(usable).toContain(chooseDevice('auto'));
    expect(createOnnxRuntimeEngine().device).toBe(chooseDevice('auto'));
  });

  it('says why one that was asked for cannot be used, and what to do', () => {
    const missing = devices().filter(({ usable }) => !usable);
    expect(missing.length).toBeGreaterThan(0);
    for (const { name, reason } of missing) {
      expect(() => chooseDevice(name)).toThrow(`device ${name} cannot be used: ${reason}`);
      try {
        chooseDevice(name);
      } catch (error) {
        expect((error as UserError).hint).toContain('--device cpu');
      }
    }
  });

  it('are tried with a convolution, alone and in a loop of two steps', () => {
    expect(convolves('cpu', false)).toBe(true);
    expect(convolves('cpu', true)).toBe(true);
  });
});

it('auto leaves out coreml until it is measured, and webgpu', () => {
  expect(automatic).toEqual(['cuda', 'cpu']);
});
