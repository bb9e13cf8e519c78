import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { globalAgent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Log } from '../../src/base/log.ts';
import { serve } from '../../src/serve/serve.ts';
import type { RunningServer, ServeOptions } from '../../src/serve/serve.ts';
import { built } from '../support/built.ts';

export interface Served extends RunningServer {
  readonly folder: string;
  /** What it logged, one line each. */
  readonly lines: string[];
  readonly end: () => Promise<void>;
}

/** A server of these files, in this process, with its workers in processes of their own. */
export async function serving(
  files: Readonly<Record<string, Uint8Array>>,
  options: Partial<ServeOptions> = {},
): Promise<Served> {
  const folder = await mkdtemp(path.join(tmpdir(), 'limbeck-serve-'));
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
  const lines: string[] = [];
  const log: Log = { write: (level, message) => lines.push(`${level}: ${message}`), close: () => Promise.resolve() };
  const entry = path.join(built(), 'dist/serve/worker/worker.js');
  const common = { models: [folder], port: 0, workers: 1, log, version: '1.2.3', workerEntry: entry };
  const server = await serve({ ...common, ...options }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    ...server,
    ...{ folder, lines },
    end: async () => {
      // Idle connections would be waited for.
      globalAgent.destroy();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
}

export interface Question {
  readonly method?: string;
  readonly body?: string | Uint8Array | object | undefined;
  readonly headers?: Record<string, string>;
}

export function ask(server: { readonly port: number }, place: string, question: Question = {}): Promise<Answer> {
  const { body, headers = {} } = question;
  const content =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const method = question.method ?? (body === undefined ? 'GET' : 'POST');
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port: server.port, host: '127.0.0.1', path: place, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const all = Buffer.concat(parts);
        const isJson = response.headers['content-type'] === 'application/json' && all.length > 0;
        const json = isJson ? (JSON.parse(all.toString('utf8')) as Record<string, unknown>) : {};
        resolve({ status: response.statusCode!, headers: response.headers, body: all, json });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(content);
  });
}

/** A request of JSON for float tensors. */
export function floats(inputs: Readonly<Record<string, readonly (readonly number[])[]>>, more: object = {}) {
  return {
    inputs: Object.entries(inputs).map(([name, data]) => ({
      ...{ name, datatype: 'FP32', shape: [data.length, data[0]!.length], data },
    })),
    ...more,
  };
}

/** The same with the tensors as bytes, and the header that says where they begin. */
export function binary(inputs: Readonly<Record<string, readonly (readonly number[])[]>>, more: object = {}) {
  const parts = Object.values(inputs).map((rows) => Buffer.from(Float32Array.from(rows.flat()).buffer));
  const heads = Object.entries(inputs).map(([name, rows], i) => ({
    ...{ name, datatype: 'FP32', shape: [rows.length, rows[0]!.length] },
    parameters: { binary_data_size: parts[i]!.length },
  }));
  const head = Buffer.from(JSON.stringify({ inputs: heads, ...more }));
  return {
    body: Buffer.concat([head, ...parts]),
    headers: { 'inference-header-content-length': String(head.length) },
  };
}
