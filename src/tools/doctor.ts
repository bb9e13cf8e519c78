import {
  installCommand,
  limbeckVersion,
  packageFolder,
  requiredPackages,
  versionOf,
} from '../base/process/packages.ts';
import { cpuFeatures, machineInfo } from '../measure/machine.ts';
import type { CpuFeature, MachineInfo } from '../measure/machine.ts';
import { DEFAULT_ENGINE } from '../recipe/engines.ts';
import type { EngineName } from '../recipe/engines.ts';
import { chooseDevice, devices } from '../runtime/onnxruntime/devices/devices.ts';
import type { DeviceStatus } from '../runtime/onnxruntime/devices/devices.ts';
import { halfFault } from '../runtime/onnxruntime/half.ts';
import { sessionOptions } from '../runtime/onnxruntime/engine.ts';
import { engines } from '../runtime/engine-registry.ts';
import { engineRow } from '../runtime/engines.ts';
import type { EngineStatus } from '../runtime/engine-status.ts';

interface DoctorEngine extends EngineStatus {
  readonly name: EngineName;
}

interface DoctorDevice extends Omit<DeviceStatus, 'half'> {
  /** Computation of `precision: mixed` on it; absent for an unusable device. */
  readonly float16?: string;
}

/** An optional package, which a user's project must install itself. */
interface OptionalPackage {
  readonly name: string;
  /** `missing` if it is not installed. */
  readonly version: string;
  /** Purpose of the package. */
  readonly use: string;
  /** Command that installs it; absent if it is installed. */
  readonly remedy?: string;
}

export interface Diagnosis {
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: MachineInfo;
  /** Choices of `engine: auto` and `device: auto`. */
  readonly engine: string;
  readonly device: string;
  readonly engines: readonly DoctorEngine[];
  /** Devices of onnxruntime. */
  readonly devices: readonly DoctorDevice[];
  readonly optional: readonly OptionalPackage[];
  readonly cpuFeatures: readonly CpuFeature[] | undefined;
  /** Missing parts that would make something faster or possible, one sentence each. */
  readonly missing: readonly string[];
}

/** Purposes of the optional peer dependencies in package.json, by name; the engine tensorflow has a row of its own. */
const OPTIONAL: Readonly<Record<string, string>> = {
  '@litertjs/core': 'TFLite files: checked before they ship, and timed',
  koffi: 'training by several processes under mpirun; TFLite files timed natively, with tfjs-tflite-node',
  'tfjs-tflite-node': 'TFLite files timed natively, with koffi',
  'onnxruntime-web': 'ONNX files timed in browsers: bench --serve, and the place chromium',
  'prom-client': 'metrics for Prometheus: run --metrics, and serve',
  '@grpc/grpc-js': 'serve --grpc-port, with @grpc/proto-loader',
  '@grpc/proto-loader': 'serve --grpc-port, with @grpc/grpc-js',
};

/** Diagnosis of this installation and machine. */
export async function diagnose(): Promise<Diagnosis> {
  const features = cpuFeatures();
  const vnni = features?.find(({ name }) => name === 'VNNI' || name === 'dot product');
  const libraries = ['onnxruntime-node', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', 'sharp'];
  const versions = Object.fromEntries(libraries.map((name) => [name, versionOf(name)]));
  const missing = requiredPackages()
    .filter((name) => packageFolder(name) === undefined)
    .map((name) => `${name}: install Limbeck again, see docs/install.md`)
    .concat(vnni?.present === false ? [`${vnni.name}: ${vnni.why}`] : []);
  return {
    versions: { limbeck: limbeckVersion(), node: process.versions.node, ...versions },
    machine: machineInfo(),
    engine: DEFAULT_ENGINE,
    device: chooseDevice('auto'),
    engines: await Promise.all(engines.all().map(async ({ name }) => ({ name, ...(await engineRow(name)).status() }))),
    devices: devices().map(withHalf),
    optional: Object.entries(OPTIONAL).map(([name, use]) => {
      const isThere = packageFolder(name) !== undefined;
      return { name, version: versionOf(name), use, ...(isThere ? {} : { remedy: installCommand([name]) }) };
    }),
    cpuFeatures: features,
    missing,
  };
}

/** Device with a sentence on mixed precision; the cpu rounds to float16 and multiplies in float32. */
function withHalf({ half, ...device }: DeviceStatus): DoctorDevice {
  if (!device.usable) return device;
  if (device.name === 'cpu') return { ...device, float16: 'emulated' };
  const fault = half === undefined ? halfFault(device.name, sessionOptions(device.name, {})) : half;
  return { ...device, float16: fault === undefined || fault === null ? 'yes' : `no: ${fault}` };
}
