import type { OnEvent } from '../../base/events.ts';
import type { RunEnd } from '../../page/run/log.ts';
import { checkPort } from '../../commands/options/watch.ts';
import type { Watcher, Watchers } from '../../commands/options/watchers.ts';

interface PageArgs {
  readonly page?: boolean;
  readonly 'page-port'?: number | undefined;
  readonly 'page-host'?: string;
}

/** The page of a run: `--page`. */
export const watcher: Watcher = {
  options: {
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
  },
  open: async (
    { page = false, 'page-port': port, 'page-host': host = '127.0.0.1' }: PageArgs,
    tell: OnEvent,
  ): Promise<Watchers | undefined> => {
    await checkPort('page-port', port);
    if (!page && port === undefined) return undefined;
    const { serveRunPage } = await import('../../page/run/server.ts');
    const { reportSoFar } = await import('../../folder/report/report-so-far.ts');
    const beforeNow = async (folder: string) => {
      const report = await reportSoFar(folder);
      return report && { training: report.training ?? [], stages: report.stages ?? [] };
    };
    const served = await serveRunPage({ port: port ?? 0, host, beforeNow });
    tell({ type: 'message', message: `page at ${served.url}` });
    return { onEvent: served.onEvent, close: (error) => served.close(endOf(error)) };
  },
};

function endOf(error: unknown): RunEnd {
  if (error === undefined) return { status: 'finished' };
  return { status: 'stopped', message: error instanceof Error ? error.message : 'it failed' };
}
