import type { FlagValues, Flags } from '../base/flags.ts';
import { DEVICES } from '../recipe/engines.ts';
import { OBSERVER_FLAGS } from '../serve/observers.ts';
import type { ObserverSettings } from '../serve/observers.ts';
import { outOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { openLog, printJson } from './context.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface ServeArgs {
  models: string[];
  host: string;
  port: number;
  'grpc-port': number | undefined;
  device: string;
  shape: string[];
  fix: string[];
  workers: number | undefined;
  threads: number;
  'max-batch': number;
  'max-delay': number;
  'max-latency': number | undefined;
  preferred: number[];
  'max-queue': number;
  'on-timeout': string;
  priorities: number;
  exact: boolean;
  strict: boolean;
  'token-file': string | undefined;
  'open-metrics': boolean;
  'tls-cert': string | undefined;
  'tls-key': string | undefined;
  'access-log': string | undefined;
  rate: number | undefined;
  'max-connections': number;
  'max-body': number;
  'max-json': number;
  'max-letters': number | undefined;
  'max-size': number;
  'max-memory': number | undefined;
  'load-timeout': number;
  drain: number;
  out: string;
}

export const serveCommand: Command<ServeArgs> = {
  prepare: () => OBSERVER_FLAGS.loadAll(),
  options: (yargs) =>
    yargs
      .positional('models', {
        type: 'string',
        array: true,
        demandOption: true,
        describe:
          '.onnx, .keras or .h5 files, name=file.onnx, folders of .onnx files, or runs (run:id for one of its models)',
      })
      .option('host', { type: 'string', default: '127.0.0.1', describe: 'Address to listen on' })
      .option('port', { type: 'number', default: 8000, describe: 'Port; 0: any that is free' })
      .option('grpc-port', { type: 'number', describe: 'Serve gRPC too, at this port; 0: any that is free' })
      .option('device', {
        choices: ['auto', ...DEVICES] as const,
        default: 'cpu',
        describe: 'Device that models run on',
      })
      .options(inputOptions)
      .option('workers', { type: 'number', describe: 'Processes that run models [default: cores - 1]' })
      .option('threads', { type: 'number', default: 1, describe: 'Threads of each worker' })
      .option('max-batch', { type: 'number', default: 64, describe: 'Most samples in a call of a model' })
      .option('max-delay', {
        type: 'number',
        default: 0,
        describe: 'Milliseconds that an idle worker waits for more requests',
      })
      .option('max-latency', {
        type: 'number',
        describe: 'Milliseconds to answer within; requests that would be late are refused at once',
      })
      .option('preferred', {
        type: 'number',
        array: true,
        default: [],
        describe: 'Batch sizes that run at once, without waiting for more',
      })
      .option('max-queue', { type: 'number', default: 1024, describe: 'Requests of a model that may wait' })
      .option('on-timeout', {
        choices: ['reject', 'delay'],
        default: 'reject',
        describe: 'Requests that would be late: refuse them, or answer them last',
      })
      .option('priorities', { type: 'number', default: 1, describe: 'Number of priority levels' })
      .option('exact', {
        type: 'boolean',
        default: false,
        describe: 'Give every answer the bits that it has without a batch',
      })
      .option('strict', {
        type: 'boolean',
        default: false,
        describe: 'Refuse rows of a table with a word that train does not have',
      })
      .option('token-file', { type: 'string', describe: 'File of tokens, one a line; requests need one of them' })
      .option('open-metrics', { type: 'boolean', default: false, describe: 'Show /metrics without a token' })
      .option('tls-cert', { type: 'string', describe: 'Certificate (PEM) for HTTPS' })
      .option('tls-key', { type: 'string', describe: 'Its private key (PEM)' })
      .option('access-log', { type: 'string', describe: 'File for a line of JSON per answer' })
      .option('rate', {
        type: 'number',
        describe: 'Most requests per second of one token or address; further ones get status 429',
      })
      .options(observerOptions())
      .option('max-connections', {
        type: 'number',
        default: 1024,
        describe: 'Most connections of one address over HTTP, and over gRPC, up to 4096',
      })
      .option('max-body', { type: 'number', default: 64, describe: 'Most MiB in a request or an answer' })
      .option('max-json', {
        type: 'number',
        default: 8,
        describe: 'Most MiB of JSON or text in a request; tensors as binary data may have more',
      })
      .option('max-letters', {
        type: 'number',
        describe: 'Most letters of a text [default: 64 for each token that a model takes, at least 16384]',
      })
      .option('max-memory', {
        type: 'number',
        describe:
          'Most MiB for calls in a worker, besides its models [default: its share of half of the free memory, at least 1024]',
      })
      .option('max-size', {
        type: 'number',
        default: 4096,
        describe: 'Most of a size that a model leaves open, such as the length of a sequence',
      })
      .option('load-timeout', {
        type: 'number',
        default: 120,
        describe: 'Seconds for models to be loaded and tried out',
      })
      .option('drain', {
        type: 'number',
        default: 30,
        describe: 'Seconds to answer waiting requests after a signal to stop',
      })
      .option('out', outOption) as never,
  run: async (args, context) => {
    await checkNumbers(args);
    const observers = observerSettings({ ...args });
    const { serve } = await import('../serve/serve.ts');
    const { signal } = context;
    const log = await openLog(context);
    const server = await serve({
      signal,
      models: args.models,
      out: args.out,
      host: args.host,
      port: args.port,
      threads: args.threads,
      log,
      device: args.device as 'cpu',
      tls: await tlsOf(args),
      shapes: inputShapes(args),
      maxBody: args['max-body'] * 2 ** 20,
      maxJson: args['max-json'] * 2 ** 20,
      workers: args.workers,
      openMetrics: args['open-metrics'],
      drainSeconds: args.drain,
      loadSeconds: args['load-timeout'],
      grpcPort: args['grpc-port'],
      tokenFile: args['token-file'],
      accessLog: args['access-log'],
      maxMemory: args['max-memory'] === undefined ? undefined : args['max-memory'] * 2 ** 20,
      strict: args.strict,
      maxLetters: args['max-letters'],
      maxSize: args['max-size'],
      ...observers,
      rate: args.rate,
      maxConnections: args['max-connections'],
      batch: {
        maxBatch: args['max-batch'],
        maxDelayMs: args['max-delay'],
        maxLatencyMs: args['max-latency'],
        preferred: args.preferred,
        maxQueue: args['max-queue'],
        priorityLevels: args.priorities,
        exact: args.exact,
        onTimeout: args['on-timeout'] as 'reject' | 'delay',
      },
    }).catch(async (error: unknown) => {
      await log.close();
      if (!signal.aborted) throw error;
      const { InterruptedError } = await import('../base/errors.ts');
      throw new InterruptedError('stopped while models were loaded');
    });
    const models = server.host.models.map(({ name }) => name);
    const { url, grpcPort } = server;
    if (context.json) printJson(context, { url, models, ...(grpcPort !== undefined && { grpcPort }) });
    else {
      const grpc = grpcPort === undefined ? '' : `, gRPC at ${args.host}:${grpcPort}`;
      const metrics = server.hasMetrics ? `, metrics at ${url}/metrics` : '';
      log.write('info', `serving ${models.join(', ')} at ${url}/v2${grpc}${metrics}`);
    }
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await server.close();
    await log.close();
  },
};

async function checkNumbers(args: ServeArgs): Promise<void> {
  const { UserError } = await import('../base/errors.ts');
  const check = (
    option: string,
    value: number | undefined,
    isRight: (value: number) => boolean,
    what: string,
  ): void => {
    if (value === undefined || isRight(value)) return;
    throw new UserError(`--${option}: expected ${what}, received ${value}`, `Correct --${option}.`);
  };
  const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;
  for (const option of ['workers', 'threads', 'max-batch', 'max-queue', 'priorities', 'max-size'] as const) {
    check(option, args[option], isCount, 'a whole number > 0');
  }
  for (const size of args.preferred)
    check('preferred', size, (n) => isCount(n) && n <= args['max-batch'], `1 to ${args['max-batch']}`);
  for (const option of ['port', 'grpc-port'] as const) {
    check(option, args[option], (port) => port === 0 || (isCount(port) && port < 65_536), 'a port, or 0');
  }
  check('max-delay', args['max-delay'], (ms) => ms >= 0, 'milliseconds');
  check('max-latency', args['max-latency'], (ms) => ms > 0, 'milliseconds > 0');
  check('max-connections', args['max-connections'], (count) => isCount(count) && count <= 4096, '1 to 4096');
  check('max-body', args['max-body'], (size) => size > 0 && size <= 1024, 'MiB > 0, at most 1024');
  check('max-json', args['max-json'], (size) => size > 0 && size <= 256, 'MiB > 0, at most 256');
  check('max-memory', args['max-memory'], (size) => size > 0, 'MiB > 0');
  check('max-letters', args['max-letters'], isCount, 'a whole number > 0');
  check('load-timeout', args['load-timeout'], (seconds) => seconds > 0 && seconds < 2e6, 'seconds > 0');
  check('rate', args.rate, (rate) => rate > 0, 'requests a second');
  check('drain', args.drain, (seconds) => seconds >= 0, 'seconds');
}

async function tlsOf({ 'tls-cert': tlsCert, 'tls-key': tlsKey }: ServeArgs) {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey };
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  const { UserError } = await import('../base/errors.ts');
  const [have, lack] = tlsCert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key'];
  throw new UserError(`serve: ${have} without ${lack}`, 'Add it: HTTPS needs a certificate and its key.');
}

/** Options of the observers, which `prepare` has loaded. */
function observerOptions(): Flags {
  return Object.assign({}, ...OBSERVER_FLAGS.names().map((name) => OBSERVER_FLAGS.of(name).options)) as Flags;
}

function observerSettings(words: FlagValues): ObserverSettings {
  return Object.fromEntries(OBSERVER_FLAGS.names().map((name) => [name, OBSERVER_FLAGS.of(name).settings(words)]));
}
