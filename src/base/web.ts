import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const loopbacks = new BlockList();
loopbacks.addSubnet('127.0.0.0', 8);
loopbacks.addAddress('::1', 'ipv6');

/** True for an address or a name of this machine itself; `127.evil.example` is a stranger's name. */
export function isLoopback(host: string): boolean {
  // The usual names first: every request of a server calls this, and the list look-up takes microseconds.
  if (host === '127.0.0.1' || host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopbacks.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * True for a request that a page of another origin made the browser send. `loopback`: only this machine reaches the server, so requests must name it
 * by one of its own names; a stranger's name may also resolve to 127.0.0.1.
 */
export function isFromOtherPage({ headers, rawHeaders, method }: IncomingMessage, loopback: boolean): boolean {
  const { origin, host = '' } = headers;
  // With two host headers, a proxy might check one and this server the other.
  if (rawHeaders.filter((name, i) => i % 2 === 0 && /^host$/i.test(name)).length > 1) return true;
  if (origin !== undefined && !/^https?:\/\//.test(origin)) return true;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) return true;
  // Browsers omit the origin for resources and links of a page, but send these headers (W3C Fetch Metadata); a link to the page itself is allowed.
  const isLink =
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (/^(cross|same)-site$/.test(headers['sec-fetch-site'] ?? '') && !isLink) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return loopback && !isLoopback(name);
}
