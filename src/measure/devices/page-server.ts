import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { needPackages, packageFolder } from '../../base/process/packages.ts';
import { deviceRows, shownRow } from './device-rows.ts';
import type { DeviceRow } from './device-rows.ts';
import { filledTemplate } from '../../base/template.ts';
import type { Plan, Posted } from '../page/protocol.ts';
import type { TimedFile } from '../latency/variants.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';

export interface PageServerOptions {
  readonly plan: Plan;
  /** Files in the order of the plan's models. */
  readonly files: readonly TimedFile[];
  /** Default 127.0.0.1; 0.0.0.0 for all networks of this machine. */
  readonly host?: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Called with the results of each device; returns the message that the page then shows. */
  readonly onRows: (rows: readonly DeviceRow[], skipped: Posted['skipped']) => Promise<string>;
}

export interface PageServer {
  /** Address with the token, which grants access to the page. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

const MOST_BYTES = 2 ** 20;

/** Files of the browser runtimes in the installed packages; no other files are served. */
const ASSETS: Readonly<Record<string, readonly [from: string, file: string]>> = {
  'ort/ort.wasm.bundle.min.mjs': ['onnxruntime-web', 'dist/ort.wasm.bundle.min.mjs'],
  'ort/ort-wasm-simd-threaded.mjs': ['onnxruntime-web', 'dist/ort-wasm-simd-threaded.mjs'],
  'ort/ort-wasm-simd-threaded.wasm': ['onnxruntime-web', 'dist/ort-wasm-simd-threaded.wasm'],
  'ort/ort.webgpu.bundle.min.mjs': ['onnxruntime-web', 'dist/ort.webgpu.bundle.min.mjs'],
  'ort/ort-wasm-simd-threaded.asyncify.mjs': ['onnxruntime-web', 'dist/ort-wasm-simd-threaded.asyncify.mjs'],
  'ort/ort-wasm-simd-threaded.asyncify.wasm': ['onnxruntime-web', 'dist/ort-wasm-simd-threaded.asyncify.wasm'],
  'litert/index.js': ['@litertjs/core', 'dist/index.js'],
  'litert/wasm-utils.js': ['@litertjs/wasm-utils', 'dist/index.js'],
  ...Object.fromEntries(
    ['litert_wasm_internal', 'litert_wasm_compat_internal'].flatMap((name) =>
      ['js', 'wasm'].map((type) => [`litert/wasm/${name}.${type}`, ['@litertjs/core', `wasm/${name}.${type}`]]),
    ),
  ),
};

/** Package of a browser runtime, by model format. */
const RUNTIMES = { onnx: 'onnxruntime-web', tflite: '@litertjs/core' } as const;

const SCRIPTS = ['script', 'runtimes', 'timing'];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

const HEADERS = {
  // Isolates the page from other origins: without that, browsers give no threads and a coarse clock.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; " +
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // Keeps the token in the page's address from being sent elsewhere.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** Serves the page that measures `files` in a browser. `UserError` if the package of a runtime is not installed. */
export async function servePage(options: PageServerOptions): Promise<PageServer> {
  const formats = new Set(options.plan.models.map(({ format }) => format));
  needPackages(
    'browsers',
    [...formats].map((format) => RUNTIMES[format]),
  );
  const token = randomBytes(12).toString('hex');
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => {
    answer(request, response, token, options).catch((error: unknown) => {
      const [status, message] =
        error instanceof Refusal
          ? [error.status, error.message]
          : error instanceof UserError
            ? [400, error.message]
            : [500, 'this is a bug in Limbeck'];
      // The unread rest of a refused request is dropped.
      response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(message);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(asListenError(error, host, options.port ?? 0)));
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const anywhere = host === '0.0.0.0' || host === '::';
  const shown = anywhere ? ownAddress() : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${port}/${token}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, token: string, options: PageServerOptions) {
  const { pathname } = new URL(request.url ?? '/', 'http://page');
  const [, given = '', ...rest] = pathname.split('/');
  if (!isEqual(given, token)) throw new Refusal(403, 'wrong token: open the address that is shown in the terminal');
  refuseOtherOrigins(request);
  const name = rest.join('/');
  const send = (content: Uint8Array | string, type: string): void => {
    response.writeHead(200, { ...HEADERS, 'content-type': TYPES[type] ?? 'application/octet-stream' });
    response.end(request.method === 'HEAD' ? undefined : content);
  };
  if (request.method === 'POST' && name === 'rows') {
    const { rows, skipped } = deviceRows(await bodyOf(request), new Set(options.plan.models.map(({ id }) => id)));
    const message = await options.onRows(rows, skipped);
    send(JSON.stringify({ rows: rows.map(shownRow), message }), '.json');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal(405, 'no such action');
  const [content, type] = await contentOf(name, options);
  send(content, type);
}

async function contentOf(name: string, { plan, files }: PageServerOptions): Promise<[Uint8Array | string, string]> {
  if (name === '') return [filledTemplate(await pageFile('page.html'), { TITLE: escaped(plan.title) }), '.html'];
  if (name === 'style.css') return [await pageFile(name), '.css'];
  if (name === 'plan.json') return [JSON.stringify(plan), '.json'];
  const script = SCRIPTS.find((file) => name === `page/${file}.js`);
  if (script !== undefined) return [await pageFile(`${script}.js`), '.js'];
  const [, model] = /^models\/(\d+)$/.exec(name) ?? [];
  const file = model === undefined ? undefined : files[Number(model)];
  if (file !== undefined) return [inOnePiece(file.bytes, file.name, 'a page'), ''];
  const asset = name.startsWith('assets/') ? name.slice('assets/'.length) : '';
  const place = Object.hasOwn(ASSETS, asset) ? ASSETS[asset] : undefined;
  if (place === undefined) throw new Refusal(404, 'there is no such file');
  const bytes = await readFile(path.join(folderOf(place[0]), place[1]));
  if (asset !== 'litert/index.js') return [bytes, path.extname(asset)];
  // Browsers cannot resolve package names.
  return [bytes.toString('utf8').replaceAll('"@litertjs/wasm-utils"', '"./wasm-utils.js"'), '.js'];
}

/** File of the page; its scripts are separate files, none inline. */
function pageFile(name: string): Promise<string> {
  return readFile(new URL(`../page/${name}`, import.meta.url), 'utf8');
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function folderOf(name: string): string {
  const core = packageFolder('@litertjs/core');
  // A dependency's folder is inside the package's or beside it.
  const folder = packageFolder(name, core && path.join(core, 'package.json'));
  if (folder === undefined) throw new Refusal(404, `${name} is not installed`);
  return folder;
}

/** Refuses requests that another page makes the browser send. A visit by QR code or link has no origin. */
function refuseOtherOrigins({ headers, method }: IncomingMessage): void {
  const { origin, host } = headers;
  const isOwn = origin === `http://${host}`;
  if (origin !== undefined ? !isOwn : method === 'POST') {
    throw new Refusal(403, 'refused: the request comes from another page');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const tooLarge = new Refusal(413, `the message is larger than ${MOST_BYTES} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooLarge;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BYTES) throw tooLarge;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function isEqual(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Address of this machine for a phone on the same network. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

function asListenError(error: Error, host: string, port: number): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE')
    return new UserError(`port ${port} is in use on ${host}`, 'Choose another one with --port.');
  if (code === 'EADDRNOTAVAIL') return new UserError(`${host} is no address of this machine`, 'Correct --host.');
  return error;
}
