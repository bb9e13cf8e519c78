import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { freeMemory } from '../base/process/memory.ts';
import { limbeckVersion, needPackages } from '../base/process/packages.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { fileLog } from '../base/log.ts';
import { isLoopback } from '../base/web.ts';
import type { Log } from '../base/log.ts';
import type { DeviceName } from '../recipe/engines.ts';
import type { BatchingOptions } from './batch/policy.ts';
import type { GrpcServer, serveGrpc } from './grpc/server.ts';
import { ModelHost } from './host.ts';
import { Access, tokensOf } from './http/access.ts';
import { BodyBudget } from './http/body.ts';
import { serveHttp } from './http/server.ts';
import { Unread } from './http/unread.ts';
import { readTls } from './http/tls.ts';
import { canKeepMetrics, NO_METRICS } from './metrics.ts';
import type { ObserverSettings } from './observers.ts';
import { Reader } from './reading/reader.ts';
import { sourcesOf, withShapes } from './sources.ts';

export interface ServeOptions extends ObserverSettings {
  /** Files, folders of files, runs. */
  readonly models: readonly string[];
  /** The folder that holds runs. Default `checkpoints`. */
  readonly out?: string;
  /** Default 127.0.0.1: this machine alone. */
  readonly host?: string;
  /** 0 takes a free one. Default 8000. */
  readonly port?: number;
  /** Also serve gRPC, there; 0 takes a free one. */
  readonly grpcPort?: number | undefined;
  readonly device?: DeviceName | 'auto';
  /** Processes that run models. Default: one less than there are cores, and at least one. */
  readonly workers?: number | undefined;
  /** Threads of each of them. Default 1. */
  readonly threads?: number;
  readonly batch?: Partial<BatchingOptions>;
  readonly tokenFile?: string | undefined;
  /** True if `/metrics` needs no token. Default false. */
  readonly openMetrics?: boolean;
  /** Sizes of inputs that the file of the only model leaves open. */
  readonly shapes?: InputShapes;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Limit of requests per second for one token, or for one address where there are no tokens. Default: none. */
  readonly rate?: number | undefined;
  /** Connections of one address over HTTP, and over gRPC; default: 1024. */
  readonly maxConnections?: number | undefined;
  /** A file that gets a line of JSON for each answer. */
  readonly accessLog?: string | undefined;
  /** Bytes of a request, and of the tensors of an answer. Default 64 MiB. */
  readonly maxBody?: number;
  /** Bytes of JSON, of text, and of numbers as fields of a message over gRPC; an answer as text has a number for eight of them. Default 8 MiB. */
  readonly maxJson?: number;
  /** Letters of a text. Default: 64 for each token that a model takes, at least 16,384. */
  readonly maxLetters?: number | undefined;
  /** Size of an input that its file leaves open. Default 4096. */
  readonly maxSize?: number;
  /** Refuses rows of a table with a word that train does not have. Default false: they are answered, with `unknown` in the answer. */
  readonly strict?: boolean;
  /** Bytes of memory that calls of a worker may take besides its models. Default: half of the free memory for all workers, at least 1 GiB for each. */
  readonly maxMemory?: number | undefined;
  /** Seconds that a model may take to be loaded and tried out. Default 120. */
  readonly loadSeconds?: number;
  /** Seconds that requests may take to be answered after the server was told to stop. Default 30. */
  readonly drainSeconds?: number;
  /** Ends the loading of models when it is aborted. */
  readonly signal?: AbortSignal;
  /** Log for notable events. Default: none. */
  readonly log?: Log;
  /** Version of this server that clients are told. Default: that of the package. */
  readonly version?: string;
  /** The compiled worker; for tests. */
  readonly workerEntry?: string;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number | undefined;
  readonly host: ModelHost;
  /** False where the package prom-client is not installed. */
  readonly hasMetrics: boolean;
  /** Answer what is here, then end. */
  readonly close: () => Promise<void>;
}

export const DEFAULT_BATCHING: BatchingOptions = {
  maxBatch: 64,
  maxDelayMs: 0,
  preferred: [],
  maxQueue: 1024,
  onTimeout: 'reject',
  priorityLevels: 1,
  exact: false,
};

/** Connections at a time, over HTTP and over gRPC. */
const MOST_CONNECTIONS = 4096;
const SILENT: Log = { write: () => undefined, close: () => Promise.resolve() };

/** Load the models and answer requests until closed. `UserError` for a file, a port or an option that cannot be. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { log = SILENT, device = 'cpu', host: address = '127.0.0.1' } = options;
  if (options.grpcPort !== undefined) needPackages('--grpc-port', ['@grpc/grpc-js', '@grpc/proto-loader']);
  const sources = withShapes(
    await sourcesOf(options.models, options.out ?? 'checkpoints', (message) => log.write('warn', message)),
    options.shapes ?? new Map(),
  );
  const tokens = options.tokenFile === undefined ? [] : await tokensOf(options.tokenFile);
  if (!isLoopback(address) && tokens.length === 0)
    throw new UserError(
      `serve: other machines reach ${address}, and there are no tokens: everybody could use these models`,
      'Add --token-file FILE with a token on each line (openssl rand -hex 24 makes one), or leave out --host.',
    );
  const access = new Access({ tokens, loopback: isLoopback(address), rate: options.rate });
  const tls = options.tls && (await readTls(options.tls, log));
  const accessLog =
    options.accessLog === undefined
      ? undefined
      : await fileLog(options.accessLog, ({ message }) =>
          log.write('warn', `${options.accessLog}: the access log ends here: ${message}`),
        );
  const { maxBody = 2 ** 26, maxJson = 2 ** 23 } = options;
  const version = options.version ?? limbeckVersion();
  const workers = options.workers ?? Math.max(1, availableParallelism() - 1);
  const metrics = canKeepMetrics(log)
    ? await (
        await import('./server-metrics.ts')
      ).serverMetrics(
        () => host,
        () => device,
      )
    : NO_METRICS;
  const entry = options.workerEntry ?? workerEntry();
  const host = new ModelHost({
    sources,
    log,
    workers,
    device,
    threads: options.threads ?? 1,
    runTimeoutMs: 120_000,
    entry,
    loadTimeoutMs: 1000 * (options.loadSeconds ?? 120),
    callBytes: options.maxMemory ?? Math.max(2 ** 30, Math.floor(freeMemory() / 2 / workers)),
    reader: new Reader(path.join(path.dirname(entry), `../reading/process${path.extname(entry)}`), log),
    limits: { letters: options.maxLetters, openSize: options.maxSize ?? 4096, values: maxJson / 8, bytes: maxBody },
    batch: { ...DEFAULT_BATCHING, ...options.batch },
    onAnswered: metrics.onAnswered,
    observers: options,
  });
  const closing: (() => Promise<unknown>)[] = [async () => accessLog?.close()];
  try {
    await host.start(options.signal);
    const site = {
      host,
      device,
      version,
      maxJson,
      openMetrics: options.openMetrics ?? false,
      isStrict: options.strict ?? false,
      metrics: metrics.text,
    };
    const budget = new BodyBudget(1.5 * Math.max(4 * maxBody, 2 ** 28));
    const unread = new Unread(Math.max(4 * maxBody, 2 ** 28));
    const maxConnectionsEach = options.maxConnections ?? MOST_CONNECTIONS / 4;
    const common = {
      maxConnections: MOST_CONNECTIONS,
      maxConnectionsEach,
      host: address,
      access,
      tls,
      log,
      budget,
      unread,
      maxBody,
      requestTimeoutMs: 30_000,
    };
    const http = await serveHttp(site, {
      ...common,
      port: options.port ?? 8000,
      onAnswer: (entry) => {
        metrics.onAnswer(entry);
        accessLog?.write('info', `${entry.method} ${entry.path}`, { ...entry });
      },
    });
    closing.push(http.close);
    const grpc =
      options.grpcPort === undefined ? undefined : await openGrpc(site, { ...common, port: options.grpcPort });
    return {
      url: http.url,
      port: http.port,
      grpcPort: grpc?.port,
      host,
      hasMetrics: metrics.isKept,
      close: async () => {
        const patienceMs = 1000 * (options.drainSeconds ?? 30);
        const until = monotonicMs() + patienceMs;
        host.stop();
        await Promise.all([http.drain(patienceMs), grpc?.close(patienceMs)]);
        await host.close(Math.max(0, until - monotonicMs()));
        await http.close();
        await accessLog?.close();
      },
    };
  } catch (error) {
    await host.close(0);
    for (const close of closing) await close();
    throw error;
  }
}

/** Loaded when it is asked for. */
async function openGrpc(...args: Parameters<typeof serveGrpc>): Promise<GrpcServer> {
  return (await import('./grpc/server.ts')).serveGrpc(...args);
}

/** A process can only run compiled code, or TypeScript where Node itself strips the types. */
function workerEntry(): string {
  const entry = new URL(`./worker/worker.${import.meta.url.endsWith('.js') ? 'js' : 'ts'}`, import.meta.url);
  if (entry.protocol !== 'file:' || !existsSync(entry)) {
    throw new UserError(
      'serve: this program was bundled without its worker',
      'Run it from the package as it is installed.',
    );
  }
  return fileURLToPath(entry);
}
