import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { isFromOtherPage, isLoopback } from '../base/web.ts';
import { POLICY } from './files.ts';
import type { ConverterPage } from './files.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const HEADERS = {
  'content-security-policy': `${POLICY}; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

export interface PageAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** Serves the files of the page. `UserError` for a port that cannot be opened. */
export async function serveConverter(
  { files }: ConverterPage,
  { host, port }: PageAddress,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const content = files.get(name);
    const refused = isFromOtherPage(request, isLoopback(host))
      ? ([403, 'refused: the request comes from another page'] as const)
      : request.method !== 'GET' && request.method !== 'HEAD'
        ? ([405, 'GET is for this address'] as const)
        : content === undefined
          ? ([404, 'there is nothing at this address'] as const)
          : undefined;
    if (refused !== undefined) {
      response.writeHead(refused[0], { 'content-type': 'text/plain; charset=utf-8' }).end(`${refused[1]}\n`);
      return;
    }
    const type = TYPES[path.posix.extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { ...HEADERS, 'content-type': type }).end(request.method === 'HEAD' ? undefined : content);
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new UserError(
      `--port: port ${port} of ${host} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      'Choose another port, or 0 for a free one.',
    );
  });
  const { port: taken, family, address } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
