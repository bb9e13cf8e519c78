import { existsSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import type { SessionOptions } from './session.ts';
import { listBundledBackends, nativeFolder, ortTensor, Session, tensorValues } from './session.ts';
import { encodeModel } from '../formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import { GraphBuilder } from '../graph/builder.ts';

export type DeviceName = 'cpu' | 'webgpu' | 'cuda' | 'tensorrt' | 'coreml' | 'dml';

export interface DeviceStatus {
  readonly name: DeviceName;
  readonly usable: boolean;
  /** Why it is not usable, or what it is. */
  readonly reason: string;
  /** What would make it usable, if it is not. */
  readonly remedy?: string;
}

/** Best first: what `auto` takes. WebGPU is not among them: on software drivers it is far slower than the cpu. */
const automatic: readonly DeviceName[] = ['cuda', 'coreml', 'cpu'];
const all: readonly DeviceName[] = ['cpu', 'webgpu', 'cuda', 'tensorrt', 'coreml', 'dml'];

const hints: Readonly<Record<DeviceName, string>> = {
  cpu: 'Reinstall onnxruntime-node.',
  webgpu: 'Install a Vulkan, Metal or Direct3D 12 driver (on Debian: mesa-vulkan-drivers).',
  cuda: 'Fetch the CUDA 12 provider (npm run setup:cuda in a clone of Limbeck), and install CUDA 12 and cuDNN 9.',
  tensorrt:
    'Fetch the CUDA 12 and TensorRT providers (npm run setup:cuda in a clone of Limbeck), and install TensorRT 10.',
  coreml: 'CoreML needs macOS.',
  dml: 'DirectML needs Windows.',
};

const found = new Map<DeviceName, DeviceStatus>();

/** Every device with whether it can be used on this machine, found by running one addition on it. */
export function devices(): readonly DeviceStatus[] {
  return all.map(status);
}

export function isUsable(device: DeviceName): boolean {
  return status(device).usable;
}

/** The device to use; `UserError` with the reason if the one asked for cannot be. */
export function chooseDevice(wanted: DeviceName | 'auto'): DeviceName {
  if (wanted === 'cpu') return 'cpu';
  if (wanted === 'auto') return automatic.find((name) => name === 'cpu' || status(name).usable)!;
  const { usable, reason } = status(wanted);
  if (!usable)
    throw new UserError(`device ${wanted} cannot be used: ${reason}`, `${hints[wanted]} Or use --device cpu.`);
  return wanted;
}

function status(name: DeviceName): DeviceStatus {
  const known = found.get(name) ?? probed(name);
  found.set(name, known);
  return known;
}

function probed(name: DeviceName): DeviceStatus {
  const result = probe(name);
  return { name, ...result, ...(result.usable ? {} : { remedy: hints[name] }) };
}

function probe(name: DeviceName): Pick<DeviceStatus, 'usable' | 'reason'> {
  const backend = listBundledBackends().find((entry) => entry.name === name);
  if (backend === undefined)
    return { usable: false, reason: `onnxruntime-node has no ${name} provider for ${process.platform}` };
  if (name === 'cuda' || name === 'tensorrt') {
    const library = providerLibrary(name);
    if (!existsSync(library))
      return { usable: false, reason: `the provider's library is not installed (${path.basename(library)})` };
  }
  const float = { dtype: 'float32', shape: [1] } as const;
  const b = new GraphBuilder();
  const x = b.input('x', float);
  b.output('y', b.op('Add', [x, x]));
  const options: SessionOptions = { executionProviders: [name], logSeverityLevel: 4 };
  try {
    const session = new Session(encodeModel(lowerToOnnx(b.build())), options);
    const { y } = session.run({ x: ortTensor('float32', Float32Array.of(21), [1]) }, { y: null });
    session.dispose();
    return tensorValues(y!)[0] === 42
      ? { usable: true, reason: 'works' }
      : { usable: false, reason: 'it adds wrongly' };
  } catch (error) {
    return { usable: false, reason: firstLine(error) };
  }
}

function providerLibrary(name: 'cuda' | 'tensorrt'): string {
  const library =
    process.platform === 'win32' ? `onnxruntime_providers_${name}.dll` : `libonnxruntime_providers_${name}.so`;
  return path.join(nativeFolder(), library);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!.slice(0, 300);
}
