import type { OnEvent } from '../../base/events.ts';
import type { RunEnd } from '../../page/run/log.ts';
import type { RunProcesses } from '../../run/options.ts';

/** Options for watching a run: TensorBoard, metrics and the page of the run. */
export interface WatchArgs {
  readonly tensorboard: boolean;
  readonly metrics: number | undefined;
  readonly 'metrics-host': string;
  readonly page: boolean;
  readonly 'page-port': number | undefined;
  readonly 'page-host': string;
}

export const watchOptions = {
  tensorboard: {
    type: 'boolean',
    default: false,
    describe: "Write TensorBoard's event files to the folder `tensorboard` of the run",
  },
  metrics: {
    type: 'number',
    describe:
      'Serve metrics to Prometheus at this port while it runs; 0: a free one; rank r of mpirun: r ports further',
  },
  'metrics-host': {
    type: 'string',
    default: '127.0.0.1',
    describe: 'Address to serve metrics at; 0.0.0.0 for all of the network',
  },
  page: {
    type: 'boolean',
    default: false,
    describe: 'Serve a page that shows the progress, and the report at the end',
  },
  'page-port': { type: 'number', describe: 'Port of that page [default: any that is free]' },
  'page-host': {
    type: 'string',
    default: '127.0.0.1',
    describe: 'Address to serve that page at; 0.0.0.0 for all of the network',
  },
} as const;

export interface Watchers {
  readonly onEvent: OnEvent;
  /** `error`: error that ended the run, if any. */
  readonly close: (error?: unknown) => Promise<void>;
}

/** Options of one process of several: rank r serves its metrics at the port plus r; everything else is the first process' task. */
export function watchedRank(watch: WatchArgs, rank: number): WatchArgs {
  const { metrics } = watch;
  const alone = rank === 0 ? {} : { tensorboard: false, page: false, 'page-port': undefined };
  return { ...watch, ...alone, metrics: metrics === undefined || metrics === 0 ? metrics : metrics + rank };
}

/** Opens the watchers that the options ask for, loading only their packages. `UserError` for a port that cannot be opened. */
export async function openWatchers(
  { tensorboard, metrics, 'metrics-host': host, page, 'page-port': pagePort, 'page-host': pageHost }: WatchArgs,
  tell: OnEvent,
  processes?: RunProcesses,
): Promise<Watchers> {
  const listeners: OnEvent[] = [];
  const closing: ((error?: unknown) => Promise<void>)[] = [];
  await checkPort('metrics', metrics);
  await checkPort('page-port', pagePort);
  if (metrics !== undefined) {
    const { serveMetrics } = await import('../../watch/metrics.ts');
    const server = await serveMetrics({ port: metrics, host, process: processes });
    tell({ type: 'message', message: `metrics at ${server.url}` });
    listeners.push(server.onEvent);
    closing.push(server.close);
  }
  if (tensorboard) {
    const { tensorboardWriter } = await import('../../watch/tensorboard.ts');
    listeners.push(tensorboardWriter((message) => tell({ type: 'warning', message })));
  }
  if (page || pagePort !== undefined) {
    const { serveRunPage } = await import('../../page/run/server.ts');
    const served = await serveRunPage({ port: pagePort ?? 0, host: pageHost }).catch(async (error: unknown) => {
      for (const close of closing) await close();
      throw error;
    });
    tell({ type: 'message', message: `page at ${served.url}` });
    listeners.push(served.onEvent);
    closing.push((error) => served.close(endOf(error)));
  }
  return {
    onEvent: (event) => listeners.forEach((listener) => listener(event)),
    close: async (error) => {
      for (const close of closing) await close(error);
    },
  };
}

function endOf(error: unknown): RunEnd {
  if (error === undefined) return { status: 'finished' };
  return { status: 'stopped', message: error instanceof Error ? error.message : 'it failed' };
}

async function checkPort(option: string, port: number | undefined): Promise<void> {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65535)) return;
  const { UserError } = await import('../../base/errors.ts');
  throw new UserError(
    `--${option}: expected a port from 0 to 65535, received ${port}`,
    'Choose another port, or 0 for a free one.',
  );
}
