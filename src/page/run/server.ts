import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import type { OnEvent } from '../../base/events.ts';
import { exists, readBytes } from '../../base/files.ts';
import { isFromOtherPage, isLoopback } from '../../base/web.ts';
import { pageAsset } from '../assets.ts';
import { RunLog } from './log.ts';
import type { RunBefore, RunEnd } from './log.ts';

export interface RunPageOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1: nobody else on the network. */
  readonly host?: string;
  /** Finds the results of a resumed run before this start in its folder. Default: none are shown. */
  readonly beforeNow?: (folder: string) => Promise<RunBefore | undefined>;
}

export interface RunPage {
  readonly url: string;
  readonly onEvent: OnEvent;
  /** Tell how the run ended, give those who look at it the report, and close. */
  readonly close: (end: RunEnd) => Promise<void>;
}

/** A page asks every second: one that was silent for so long is closed. */
const SILENT_MS = 5000;
/** Connections at a time, as each takes an open file from the run, and pages that are waited for; letters of the name of one. */
const [MOST_CONNECTIONS, MOST_VIEWERS, LONGEST_NAME] = [256, 64, 64];
/** Milliseconds that the end of a run waits for pages to take the report. */
const PATIENCE_MS = 5000;

/** The report brings a policy of its own; a header alone can forbid it to lead to another page, and all but this page to frame it. */
const REPORT_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "sandbox; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** Serve the page of a run for as long as it goes. `UserError` for a port that cannot be opened. */
export async function serveRunPage({
  port,
  host = '127.0.0.1',
  beforeNow = () => Promise.resolve(undefined),
}: RunPageOptions): Promise<RunPage> {
  const log = new RunLog(beforeNow);
  const viewers = new Viewers();
  const server = createServer((request, response) => {
    answer(log, viewers, isLoopback(host), request, response).catch((error: unknown) => {
      refuse(response, 500, String(error));
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new UserError(
      `--page-port: port ${port} of ${host} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      'Choose another port, or 0 for a free one.',
    );
  });
  // The run decides when the process ends, not who looks at its page.
  server.unref();
  const { port: taken, family, address } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/`,
    onEvent: log.onEvent,
    close: async (end) => {
      log.end = end;
      await viewers.served(PATIENCE_MS);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  log: RunLog,
  viewers: Viewers,
  loopback: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isFromOtherPage(request, loopback)) {
    refuse(response, 403, 'refused: the request comes from another page');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(response, 405, 'GET is for this address');
    return;
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
  const send = (headers: Readonly<Record<string, string>>, content: string | Uint8Array): void => {
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : content);
  };
  const viewer = searchParams.get('viewer') ?? '';
  if (pathname === '/events.json') {
    const since = Number(searchParams.get('since') ?? 0);
    if (!Number.isInteger(since) || since < 0) {
      refuse(response, 400, 'since: expected a whole number');
      return;
    }
    viewers.seen(viewer);
    const told = await log.since(since);
    send({ 'content-type': 'application/json', 'cache-control': 'no-store' }, JSON.stringify(told));
    if (told.end?.status === 'stopped') response.on('finish', () => viewers.done(viewer));
    return;
  }
  if (pathname === '/report.html') {
    const file = path.join(log.folder ?? '', 'report.html');
    if (log.end === undefined || log.folder === undefined || !(await exists(file))) {
      refuse(response, 404, 'there is no report yet');
      return;
    }
    send(REPORT_HEADERS, await readBytes(file));
    response.on('finish', () => viewers.done(viewer));
    return;
  }
  const asset = await pageAsset(pathname.slice(1), 'run');
  if (asset === undefined) {
    refuse(response, 404, 'there is nothing at this address');
    return;
  }
  send(asset.headers, asset.content);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${message}\n`);
}

/** The open pages, and whether each has loaded all that it shows after the process has ended. */
class Viewers {
  readonly #seen = new Map<string, number>();
  #waiting: (() => void) | undefined;

  seen(viewer: string): void {
    if (viewer === '' || viewer.length > LONGEST_NAME) return;
    // Last in the map: the first one has not asked for longest.
    this.#seen.delete(viewer);
    this.#seen.set(viewer, monotonicMs());
    if (this.#seen.size > MOST_VIEWERS) this.#seen.delete(this.#seen.keys().next().value!);
  }

  done(viewer: string): void {
    this.#seen.delete(viewer);
    if (this.#seen.size === 0) this.#waiting?.();
  }

  /** Resolves when all open pages have loaded their data, or are too slow. */
  async served(patienceMs: number): Promise<void> {
    for (const [viewer, at] of this.#seen) if (monotonicMs() - at > SILENT_MS) this.#seen.delete(viewer);
    if (this.#seen.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
