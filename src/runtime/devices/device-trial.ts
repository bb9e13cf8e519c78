import { spawnSync } from 'node:child_process';
import { entryBeside } from '../../base/entry.ts';
import { firstLine } from '../../base/errors.ts';
import type { DeviceName } from './device-name.ts';
import { convolves } from './device-probe.ts';
import { halfFault } from '../onnxruntime/half.ts';

export interface DeviceTrial {
  readonly usable: boolean;
  /** Reason why it is not usable, or a description of it. */
  readonly reason: string;
  /** Answer of `halfFault` for a usable device; absent where nobody asked. */
  readonly half?: string | null;
}

/** A convolution on the device, in this process. */
export function tryConvolution(name: DeviceName): DeviceTrial {
  try {
    return convolves(name, name === 'cuda' || name === 'tensorrt')
      ? { usable: true, reason: 'works' }
      : { usable: false, reason: 'it computes wrongly' };
  } catch (error) {
    return { usable: false, reason: firstLine(error) };
  }
}

/** Trial of a device, with a product of float16. */
export function tryDevice(name: DeviceName): DeviceTrial {
  const trial = tryConvolution(name);
  return trial.usable ? { ...trial, half: halfFault(name, { executionProviders: [name, 'cpu'] }) ?? null } : trial;
}

const PATIENCE_MS = 60_000;

/** Trial in a process of its own: WebGPU's library writes warnings to the terminal as it starts, and a driver may crash. */
export function tryElsewhere(name: DeviceName): DeviceTrial {
  const entry = entryBeside(import.meta.url, 'device-child');
  if (entry === undefined) return tryDevice(name);
  const { stdout, signal, status } = spawnSync(process.execPath, [entry, name], {
    ...{ stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8', timeout: PATIENCE_MS, windowsHide: true },
  });
  try {
    return JSON.parse(stdout) as DeviceTrial;
  } catch {
    return { usable: false, reason: `the process that tried it ended with ${signal ?? `exit code ${status}`}` };
  }
}
