import type { Log } from '../base/log.ts';
import { installCommand, packageFolder } from '../base/process/packages.ts';
import type { AnswerEntry } from './http/server.ts';
import type { ServedModel } from './model.ts';
import { Refusal } from './refusal.ts';
import type { Timings } from './statistics.ts';

export interface ServerMetrics {
  /** False for a server that keeps none. */
  readonly isKept: boolean;
  /** Text for a scraper, with its content type. `Refusal` if the server keeps no metrics. */
  readonly text: () => Promise<{ readonly text: string; readonly type: string }>;
  readonly onAnswered: (model: ServedModel, timings: Timings, samples: number) => void;
  readonly onAnswer: (entry: AnswerEntry) => void;
}

/** False, with a warning, where the package is missing by which metrics are kept. `from`: file that needs it. */
export function canKeepMetrics(log: Log, from?: string): boolean {
  if (packageFolder('prom-client', from) !== undefined) return true;
  log.write('warn', `no metrics: prom-client is not installed. Run: ${installCommand(['prom-client'])}`);
  return false;
}

export const NO_METRICS: ServerMetrics = {
  isKept: false,
  text: () => Promise.reject(new Refusal(404, 'this server keeps no metrics: prom-client is not installed')),
  onAnswered: () => undefined,
  onAnswer: () => undefined,
};
