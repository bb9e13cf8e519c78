import type { DeviceName } from '../../recipe/engines.ts';
import type { SessionOptions } from './session-options.ts';

export interface SessionChoice {
  /** Threads of an operator; 0 or absent: one per core. */
  readonly threads?: number;
  /** ONNX Runtime's own session settings, such as `session.set_denormal_as_zero`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export function sessionOptions(device: DeviceName, options: SessionChoice): SessionOptions {
  return {
    executionProviders: providersOf(device),
    intraOpNumThreads: options.threads ?? 0,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    extra: options.settings ?? {},
  };
}

/** Providers in order: nodes that one cannot compute go to the next. */
function providersOf(device: DeviceName): DeviceName[] {
  if (device === 'cpu') return ['cpu'];
  return device === 'tensorrt' ? ['tensorrt', 'cuda', 'cpu'] : [device, 'cpu'];
}
