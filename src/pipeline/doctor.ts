import { limbeckVersion, MISSING, versionOf } from '../base/versions.ts';
import { cpuFeatures, machineInfo } from '../measure/machine.ts';
import type { CpuFeature, MachineInfo } from '../measure/machine.ts';
import { chooseDevice, devices } from '../runtime/devices.ts';
import type { DeviceStatus } from '../runtime/devices.ts';
import type { Engine } from '../runtime/engine.ts';
import { halfFault } from '../runtime/half.ts';
import { sessionOptions } from '../runtime/onnxruntime.ts';
import { tensorFlowStatus } from '../runtime/tensorflow.ts';

export interface EngineStatus {
  readonly name: Engine['name'];
  readonly usable: boolean;
  readonly reason: string;
  /** What would make it usable, or faster. */
  readonly remedy?: string | undefined;
}

export interface DoctorDevice extends DeviceStatus {
  /** What `precision: mixed` does there; absent where the device is not usable. */
  readonly float16?: string;
}

export interface Diagnosis {
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: MachineInfo;
  /** What `engine: auto` and `device: auto` would take. */
  readonly engine: string;
  readonly device: string;
  readonly engines: readonly EngineStatus[];
  /** Of onnxruntime. */
  readonly devices: readonly DoctorDevice[];
  readonly cpuFeatures: readonly CpuFeature[] | undefined;
  /** One sentence each: what would be faster or possible if it were there. */
  readonly missing: readonly string[];
}

export function diagnose(): Diagnosis {
  const features = cpuFeatures();
  const vnni = features?.find(({ name }) => name === 'VNNI' || name === 'dot product');
  const libraries = ['onnxruntime-node', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', 'sharp'];
  const versions = Object.fromEntries(libraries.map((name) => [name, versionOf(name)]));
  const missing = libraries
    .filter((name) => versions[name] === MISSING)
    .map((name) => `${name}: install it with npm ci`)
    .concat(vnni?.present === false ? [`${vnni.name}: ${vnni.why}`] : []);
  return {
    versions: { limbeck: limbeckVersion(), node: process.versions.node, ...versions },
    machine: machineInfo(),
    engine: 'onnxruntime',
    device: chooseDevice('auto'),
    engines: [
      { name: 'onnxruntime', usable: true, reason: `onnxruntime-node ${versions['onnxruntime-node']!}` },
      { name: 'tensorflow', ...tensorFlowStatus() },
    ],
    devices: devices().map(withHalf),
    cpuFeatures: features,
    missing,
  };
}

/** With whether mixed precision works there; the cpu rounds to float16 and multiplies in float32. */
function withHalf(device: DeviceStatus): DoctorDevice {
  if (!device.usable) return device;
  if (device.name === 'cpu') return { ...device, float16: 'emulated' };
  const fault = halfFault(device.name, sessionOptions(device.name, {}));
  return { ...device, float16: fault === undefined ? 'yes' : `no: ${fault}` };
}
