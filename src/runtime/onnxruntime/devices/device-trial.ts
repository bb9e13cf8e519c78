import { spawnSync } from 'node:child_process';
import { entryBeside } from '../../../base/process/entry.ts';
import { firstLine } from '../../../base/errors.ts';
import type { DeviceName } from '../../../recipe/engines.ts';
import { convolves } from './device-probe.ts';
import { halfFault } from '../half.ts';

export interface DeviceTrial {
  readonly usable: boolean;
  /** Reason why the device is unusable, or its description. */
  readonly reason: string;
  /** Result of `halfFault` for a usable device; absent if it was not tested. */
  readonly half?: string | null;
}

/** Computes a convolution on the device, in this process. */
export function tryConvolution(name: DeviceName): DeviceTrial {
  try {
    return convolves(name, name === 'cuda' || name === 'tensorrt')
      ? { usable: true, reason: 'works' }
      : { usable: false, reason: 'it computes wrongly' };
  } catch (error) {
    return { usable: false, reason: firstLine(error) };
  }
}

/** Tests a device, including a float16 product. */
export function tryDevice(name: DeviceName): DeviceTrial {
  const trial = tryConvolution(name);
  return trial.usable ? { ...trial, half: halfFault(name, { executionProviders: [name, 'cpu'] }) ?? null } : trial;
}

const PATIENCE_MS = 60_000;

/** Tests a device in another process: WebGPU's library prints warnings as it starts, and a driver may crash. */
export function tryElsewhere(name: DeviceName): DeviceTrial {
  const entry = entryBeside(import.meta.url, 'device-child');
  if (entry === undefined) return tryDevice(name);
  const { stdout, signal, status } = spawnSync(process.execPath, [entry, name], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    windowsHide: true,
  });
  try {
    return JSON.parse(stdout) as DeviceTrial;
  } catch {
    return { usable: false, reason: `the process that tried it ended with ${signal ?? `exit code ${status}`}` };
  }
}
