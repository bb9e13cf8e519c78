import { existsSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../base/errors.ts';
import { DEVICES } from '../../../recipe/engines.ts';
import type { DeviceName } from '../../../recipe/engines.ts';
import { tryConvolution, tryElsewhere } from './device-trial.ts';
import type { DeviceTrial } from './device-trial.ts';
import { remedyFor } from './remedies.ts';
import { listBundledBackends, nativeFolder } from '../session.ts';

export interface DeviceStatus extends DeviceTrial {
  readonly name: DeviceName;
  /** Remedy for an unusable device. */
  readonly remedy?: string;
}

/**
 * Devices that `auto` chooses from, best first. Excludes WebGPU, which is far slower than the cpu on software drivers, and CoreML, where the state is
 * copied in every call, and which was never measured against the cpu.
 */
export const automatic: readonly DeviceName[] = ['cuda', 'cpu'];

const found = new Map<DeviceName, DeviceStatus>();

/** All devices, each with its usability on this machine, found by computing a convolution on it. */
export function devices(): readonly DeviceStatus[] {
  return DEVICES.map(status);
}

export function isUsable(device: DeviceName): boolean {
  return status(device).usable;
}

/** The device to use; `UserError` with the reason if the requested one is unusable. */
export function chooseDevice(wanted: DeviceName | 'auto'): DeviceName {
  if (wanted === 'cpu') return 'cpu';
  if (wanted === 'auto') return automatic.find((name) => name === 'cpu' || status(name).usable)!;
  const { usable, reason } = status(wanted);
  if (!usable)
    throw new UserError(`device ${wanted} cannot be used: ${reason}`, `${remedyFor(wanted)} Or use --device cpu.`);
  return wanted;
}

function status(name: DeviceName): DeviceStatus {
  const known = found.get(name) ?? probed(name);
  found.set(name, known);
  return known;
}

function probed(name: DeviceName): DeviceStatus {
  const result = probe(name);
  return { name, ...result, ...(result.usable ? {} : { remedy: remedyFor(name) }) };
}

function probe(name: DeviceName): DeviceTrial {
  const backend = listBundledBackends().find((entry) => entry.name === name);
  if (backend === undefined)
    return { usable: false, reason: `onnxruntime-node has no ${name} provider for ${process.platform}` };
  if (name === 'cuda' || name === 'tensorrt') {
    const library = providerLibrary(name);
    if (!existsSync(library))
      return { usable: false, reason: `the provider's library is not installed (${path.basename(library)})` };
  }
  return name === 'webgpu' ? tryElsewhere(name) : tryConvolution(name);
}

function providerLibrary(name: 'cuda' | 'tensorrt'): string {
  const library =
    process.platform === 'win32' ? `onnxruntime_providers_${name}.dll` : `libonnxruntime_providers_${name}.so`;
  return path.join(nativeFolder(), library);
}
