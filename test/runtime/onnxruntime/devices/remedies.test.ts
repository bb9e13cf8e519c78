import type { DeviceName } from '../../../../src/recipe/engines.ts';
import { remedyFor } from '../../../../src/runtime/onnxruntime/devices/remedies.ts';

const linux = { platform: 'linux', arch: 'x64' };
const others = [
  { platform: 'darwin', arch: 'arm64' },
  { platform: 'darwin', arch: 'x64' },
  { platform: 'linux', arch: 'arm64' },
  { platform: 'win32', arch: 'x64' },
  { platform: 'win32', arch: 'arm64' },
];
const cuda: readonly DeviceName[] = ['cuda', 'tensorrt'];

it('names setup:cuda where it runs', () => {
  for (const device of cuda) expect(remedyFor(device, linux)).toContain('npm run setup:cuda');
  expect(remedyFor('tensorrt', linux)).toContain('TensorRT 10');
});

it.each(others)('sends nobody to a command that refuses on %j, but names a device', (host) => {
  for (const device of cuda) {
    expect(remedyFor(device, host)).not.toContain('npm run');
    expect(remedyFor(device, host)).toContain('use webgpu');
  }
});

it('names the drivers of the system for webgpu', () => {
  expect(remedyFor('webgpu', linux)).toContain('mesa-vulkan-drivers');
  expect(remedyFor('webgpu', others[0])).not.toContain('Vulkan');
  expect(remedyFor('webgpu', others[3])).toContain('Direct3D 12');
});
