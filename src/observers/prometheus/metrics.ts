import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../../base/errors.ts';
import { needPackages } from '../../base/process/packages.ts';
import type { OnEvent } from '../../base/events.ts';
import { isFromOtherPage, isLoopback } from '../../base/web.ts';
import { runMetrics } from './run-metrics.ts';
import type { RankedProcess } from './ranked-process.ts';

export interface MetricsOptions {
  /** 0: a free port. */
  readonly port: number;
  /** Default 127.0.0.1: not reachable from the network. */
  readonly host?: string;
  /** This process as one of several: its metrics have the label `rank`. */
  readonly process?: RankedProcess | undefined;
}

const MOST_CONNECTIONS = 64;

export interface MetricsServer {
  readonly url: string;
  readonly onEvent: OnEvent;
  readonly close: () => Promise<void>;
}

/**
 * Serves a run's metrics to Prometheus at `/metrics` until the run ends. `UserError` for an occupied port, and if prom-client, which is loaded here,
 * is not installed.
 */
export async function serveMetrics({
  port,
  host = '127.0.0.1',
  process: ranked,
}: MetricsOptions): Promise<MetricsServer> {
  needPackages('--metrics', ['prom-client']);
  const client = await import('prom-client');
  const registry = new client.Registry();
  const onEvent = runMetrics(client, registry, ranked);
  const server = createServer((request, response) => {
    if (isFromOtherPage(request, isLoopback(host))) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('refused: the request comes from another page\n');
      return;
    }
    if (request.url?.split('?')[0] !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  // Each takes an open file from the run.
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new UserError(
      `--metrics: port ${port} of ${host} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      'Choose another port, or 0 for a free one.',
    );
  });
  // The server does not keep the process alive after the run.
  server.unref();
  const { port: taken, family, address } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    onEvent,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      registry.clear();
    },
  };
}
