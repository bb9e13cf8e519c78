import { UserError } from '../base/errors.ts';
import type { SessionOptions } from './session.ts';
import { listBundledBackends, Session } from './session.ts';
import { encodeModel } from '../formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import { GraphBuilder } from '../graph/builder.ts';

export type DeviceName = 'cpu' | 'webgpu' | 'cuda' | 'coreml' | 'dml';

export interface DeviceStatus {
  readonly name: DeviceName;
  readonly usable: boolean;
  /** Why it is not usable, or what it is. */
  readonly reason: string;
}

/** Best first: what `auto` takes. WebGPU is not among them: on software drivers it is far slower than the cpu. */
const automatic: readonly DeviceName[] = ['cuda', 'coreml', 'cpu'];
const all: readonly DeviceName[] = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'];

const hints: Readonly<Record<DeviceName, string>> = {
  cpu: 'Reinstall onnxruntime-node.',
  webgpu: 'Install a Vulkan, Metal or Direct3D 12 driver (on Debian: mesa-vulkan-drivers).',
  cuda: 'Fetch the CUDA 12 provider: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12 (and install CUDA 12 and cuDNN 9).',
  coreml: 'CoreML needs macOS.',
  dml: 'DirectML needs Windows.',
};

let probed: readonly DeviceStatus[] | undefined;

/** Every device with whether it can be used on this machine, found by running one addition on it. */
export function devices(): readonly DeviceStatus[] {
  return (probed ??= all.map(probe));
}

/** The device to use; `UserError` with the reason if the one asked for cannot be. */
export function chooseDevice(wanted: DeviceName | 'auto'): DeviceName {
  if (wanted === 'cpu') return 'cpu';
  if (wanted === 'auto') return automatic.find((name) => name === 'cpu' || probe(name).usable)!;
  const { usable, reason } = probe(wanted);
  if (!usable)
    throw new UserError(`device ${wanted} cannot be used: ${reason}`, `${hints[wanted]} Or use --device cpu.`);
  return wanted;
}

function probe(name: DeviceName): DeviceStatus {
  const backends = listBundledBackends();
  if (!backends.some((backend) => backend.name === name))
    return { name, usable: false, reason: `onnxruntime-node has no ${name} provider for ${process.platform}` };
  const b = new GraphBuilder();
  b.output(
    'y',
    b.op('Add', [
      b.input('x', { dtype: 'float32', shape: [1] }),
      b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1)),
    ]),
  );
  const bytes = encodeModel(lowerToOnnx(b.build()));
  try {
    const session = new Session(bytes, { executionProviders: [name], logSeverityLevel: 4 } satisfies SessionOptions);
    session.dispose();
    return { name, usable: true, reason: 'works' };
  } catch (error) {
    return { name, usable: false, reason: firstLine(error) };
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!.slice(0, 300);
}
