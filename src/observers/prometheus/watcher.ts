import { checkPort } from '../../commands/options/watch.ts';
import type { Watcher } from '../../commands/options/watchers.ts';

interface MetricsArgs {
  readonly metrics?: number | undefined;
  readonly 'metrics-host'?: string;
}

/** Metrics for Prometheus: `--metrics`. Rank r of several processes serves its own at the port plus r. */
export const watcher: Watcher = {
  options: {
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
  },
  ofEachProcess: true,
  open: async ({ metrics, 'metrics-host': host = '127.0.0.1' }: MetricsArgs, tell, processes) => {
    const port = metrics === undefined || metrics === 0 ? metrics : metrics + (processes?.rank ?? 0);
    await checkPort('metrics', port);
    if (port === undefined) return undefined;
    const { serveMetrics } = await import('./metrics.ts');
    const server = await serveMetrics({ port, host, process: processes });
    tell({ type: 'message', message: `metrics at ${server.url}` });
    return server;
  },
};
