import type { OnEvent } from '../base/events.ts';

/** Options of commands that run something: who else is told how it goes. */
export interface WatchArgs {
  readonly tensorboard: boolean;
  readonly metrics: number | undefined;
  readonly 'metrics-host': string;
}

export const watchOptions = {
  tensorboard: {
    type: 'boolean',
    default: false,
    describe: "Write TensorBoard's event files to the folder `tensorboard` of the run",
  },
  metrics: {
    type: 'number',
    describe: 'Serve metrics to Prometheus at this port while it runs; 0: a free one',
  },
  'metrics-host': {
    type: 'string',
    default: '127.0.0.1',
    describe: 'Address to serve metrics at; 0.0.0.0 for all of the network',
  },
} as const;

export interface Watchers {
  readonly onEvent: OnEvent;
  readonly close: () => Promise<void>;
}

/** Those that are asked for. Their packages are loaded only then. `UserError` for a port that cannot be opened. */
export async function openWatchers(
  { tensorboard, metrics, 'metrics-host': host }: WatchArgs,
  tell: OnEvent,
): Promise<Watchers> {
  const listeners: OnEvent[] = [];
  let close = (): Promise<void> => Promise.resolve();
  if (metrics !== undefined) {
    const { UserError } = await import('../base/errors.ts');
    if (!Number.isInteger(metrics) || metrics < 0 || metrics > 65535) {
      throw new UserError(
        `--metrics: expected a port from 0 to 65535, received ${metrics}`,
        'Choose another port, or 0 for a free one.',
      );
    }
    const { serveMetrics } = await import('../watch/metrics.ts');
    const server = await serveMetrics({ port: metrics, host });
    tell({ type: 'message', message: `metrics at ${server.url}` });
    listeners.push(server.onEvent);
    close = server.close;
  }
  if (tensorboard) {
    const { tensorboardWriter } = await import('../watch/tensorboard.ts');
    listeners.push(tensorboardWriter((message) => tell({ type: 'warning', message })));
  }
  return { onEvent: (event) => listeners.forEach((listener) => listener(event)), close };
}
