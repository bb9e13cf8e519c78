import type { IncomingMessage } from 'node:http';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/**
 * True if a page of another origin made the browser send a request. `loopback`: the server is reached from this machine alone, so requests
 * must name it by a name of this machine; a page could have a name of its own that leads to 127.0.0.1.
 */
export function isFromOtherPage({ headers }: IncomingMessage, loopback: boolean): boolean {
  const { origin, host = '' } = headers;
  if (origin !== undefined && !/^https?:\/\//.test(origin)) return true;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return loopback && !isLoopback(name);
}
