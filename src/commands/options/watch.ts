import type { OnEvent } from '../../base/events.ts';
import type { RunProcesses } from '../../run/options.ts';
import { watchers } from './watchers.ts';
import type { Watchers } from './watchers.ts';

/** Options for watching a run: TensorBoard, metrics, and what other watchers add. */
export interface WatchArgs {
  readonly tensorboard: boolean;
  readonly metrics: number | undefined;
  readonly 'metrics-host': string;
}

const own = {
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
} as const;

/** Options of all watchers. */
export function watchOptions(): typeof own {
  return Object.assign({}, own, ...watchers.all().map(({ options }) => options)) as typeof own;
}

/** Options of one process of several: rank r serves its metrics at the port plus r; everything else is the first process' task. */
export function watchedRank(watch: WatchArgs, rank: number): WatchArgs {
  const { metrics } = watch;
  const alone = rank === 0 ? {} : { tensorboard: false };
  return { ...watch, ...alone, metrics: metrics === undefined || metrics === 0 ? metrics : metrics + rank };
}

/** Opens the watchers that the options ask for, loading only their packages. `UserError` for a port that cannot be opened. */
export async function openWatchers(args: WatchArgs, tell: OnEvent, processes?: RunProcesses): Promise<Watchers> {
  const { tensorboard, metrics, 'metrics-host': host } = args;
  const listeners: OnEvent[] = [];
  const closing: ((error?: unknown) => Promise<void>)[] = [];
  await checkPort('metrics', metrics);
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
  if ((processes?.rank ?? 0) === 0)
    for (const { open } of watchers.all()) {
      const opened = await open({ ...args }, tell).catch(async (error: unknown) => {
        for (const close of closing) await close();
        throw error;
      });
      if (opened === undefined) continue;
      listeners.push(opened.onEvent);
      closing.push(opened.close);
    }
  return {
    onEvent: (event) => listeners.forEach((listener) => listener(event)),
    close: async (error) => {
      for (const close of closing) await close(error);
    },
  };
}

/** `UserError` for a number that is no port. */
export async function checkPort(option: string, port: number | undefined): Promise<void> {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65535)) return;
  const { UserError } = await import('../../base/errors.ts');
  throw new UserError(
    `--${option}: expected a port from 0 to 65535, received ${port}`,
    'Choose another port, or 0 for a free one.',
  );
}
