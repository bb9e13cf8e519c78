import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const loopbacks = new BlockList();
loopbacks.addSubnet('127.0.0.0', 8);
loopbacks.addAddress('::1', 'ipv6');

/** True for an address of this machine alone, or the name that it has for itself; `127.evil.example` is a name of somebody else's. */
export function isLoopback(host: string): boolean {
  // The usual names first: each request of a server asks, and a look into the list takes microseconds.
  if (host === '127.0.0.1' || host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopbacks.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * True if a page of another origin made the browser send a request. `loopback`: the server is reached from this machine alone, so requests
 * must name it by a name of this machine; a page could have a name of its own that leads to 127.0.0.1.
 */
export function isFromOtherPage({ headers, rawHeaders, method }: IncomingMessage, loopback: boolean): boolean {
  const { origin, host = '' } = headers;
  // Of two names a proxy may check the one and this server the other.
  if (rawHeaders.filter((name, i) => i % 2 === 0 && /^host$/i.test(name)).length > 1) return true;
  if (origin !== undefined && !/^https?:\/\//.test(origin)) return true;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) return true;
  // Browsers leave out the origin of what a page shows or follows, but say this (W3C Fetch Metadata); a link to the page itself may be followed.
  const isLink =
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (/^(cross|same)-site$/.test(headers['sec-fetch-site'] ?? '') && !isLink) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return loopback && !isLoopback(name);
}
