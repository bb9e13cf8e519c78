import type { DeviceName } from '../../../recipe/engines.ts';

/** Operating system and processor, in Node's words. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
}

const WITHOUT_CUDA: Readonly<Record<string, string>> = {
  darwin: 'Macs have no CUDA: use webgpu or coreml.',
  win32: 'onnxruntime-node has no CUDA provider for Windows: use webgpu or dml, or Linux (WSL 2).',
};

/** Remedy for an unusable device, or an alternative for systems that cannot have it. */
export function remedyFor(device: DeviceName, { platform, arch }: Host = process): string {
  switch (device) {
    case 'cpu':
      return 'Reinstall onnxruntime-node.';
    case 'webgpu':
      if (platform === 'darwin') return 'Metal comes with macOS: update it.';
      if (platform === 'win32') return 'Install the driver of the graphics card, with Direct3D 12.';
      return 'Install a Vulkan driver (on Debian: libvulkan1 and mesa-vulkan-drivers).';
    case 'cuda':
    case 'tensorrt':
      if (platform !== 'linux') return WITHOUT_CUDA[platform] ?? `There is no CUDA for ${platform}: use webgpu.`;
      if (arch !== 'x64') return `onnxruntime-node has no CUDA provider for ${arch}: use webgpu.`;
      return device === 'cuda'
        ? 'Fetch the CUDA 12 provider (npm run setup:cuda in a clone of Limbeck), and install CUDA 12 and cuDNN 9.'
        : 'Fetch the TensorRT provider (npm run setup:cuda in a clone of Limbeck), and install CUDA 12, cuDNN 9 and TensorRT 10.';
    case 'coreml':
      return 'CoreML needs macOS.';
    case 'dml':
      return 'DirectML needs Windows.';
  }
}
