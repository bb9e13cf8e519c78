import '../../features.ts';
import { monotonicMs } from '../../base/clock.ts';
import { bytesOf } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { watchOver } from '../../base/process/watchdog.ts';
import type { DType, TensorData } from '../../graph/types.ts';
import { arrays } from '../../graph/arrays.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { sessionOptions } from '../../runtime/onnxruntime/session-choice.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import type { Batching, ModelFacts } from '../../measure/batching/facts.ts';
import { readFrame, writeParts } from './blocking.ts';
import { framed, padded } from './frames.ts';
import type { FromWorker, ModelMessage, Resources, RunMessage, StartMessage, ToWorker } from './messages.ts';
import { probe } from '../../measure/batching/probe.ts';
import { runInPieces } from '../../measure/batching/rows.ts';
import type { Run, NamedTensors } from '../../measure/batching/rows.ts';

/**
 * The process that runs models: it reads messages from its stdin and answers on descriptor 3, one at a time, until stdin
 * ends. What libraries print goes where the server's errors go.
 */
const [IN, OUT] = [0, 3];

interface Loaded {
  readonly model: InferenceModel;
  readonly batching: Batching;
}

const watch = watchOver({ withParent: true });
const loaded = new Map<string, Loaded>();
const given: { readonly message: ModelMessage; readonly bytes: Uint8Array }[] = [];

async function start({ device, threads, callBytes }: StartMessage): Promise<void> {
  const models: Record<string, ModelFacts> = {};
  let key = '';
  try {
    // To try a model out is a call too; besides, a session takes a few times the bytes of its file, and the libraries of a GPU some GB.
    const files = given.reduce((sum, { bytes }) => sum + bytes.length, 0);
    watch.limit(process.memoryUsage.rss() + 4 * files + callBytes + (device === 'cpu' ? 0 : 2 ** 32));
    const options = sessionOptions(await deviceOf(device), { threads });
    for (const { message, bytes } of given.splice(0)) {
      key = message.key;
      models[key] = load(message, bytes, options);
    }
    watch.limit(process.memoryUsage.rss() + callBytes);
    const [provider] = options.executionProviders as string[];
    tell({ type: 'ready', device: provider!, models, ...resources() });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell({ type: 'failed', key, message: error.message, hint: error.hint });
  }
}

/** Looking for devices loads more than a worker on the cpu needs. */
async function deviceOf(device: StartMessage['device']) {
  return device === 'cpu'
    ? device
    : (await import('../../runtime/onnxruntime/devices/devices.ts')).chooseDevice(device);
}

function load(message: ModelMessage, bytes: Uint8Array, options: SessionOptions): ModelFacts {
  const model = new InferenceModel(bytes, message.fileName, options);
  const { inputs, outputs } = model;
  const run: Run = (feeds, wanted) => model.runNow(feeds, wanted);
  const facts: ModelFacts =
    message.batching === undefined
      ? probe(run, { inputs, outputs, maxBatch: message.maxBatch, sampleShape: message.sampleShape })
      : { inputs, outputs, batching: message.batching, cost: [], notes: [] };
  loaded.set(message.key, { model, batching: facts.batching });
  return facts;
}

function answer({ id, key, inputs, outputs, mostBytes }: RunMessage, body: Uint8Array, start: number): void {
  try {
    const { model, batching } = loaded.get(key)!;
    const feeds = feedsOf(inputs, body);
    const placed = monotonicMs();
    const run: Run = (tensors, wanted) => model.runNow(tensors, wanted);
    const results = batching.kind === 'fixed' ? runInPieces(run, batching.size, feeds, outputs) : run(feeds, outputs);
    const [inputMs, inferMs] = [placed - start, monotonicMs() - placed];
    const heads = outputs.map((name) => headOf(name, model, results));
    const parts = outputs.map((name) => bytesOf(results[name]!.data));
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (bytes > mostBytes) throw new Error(`its answer has ${bytes} bytes, at most ${mostBytes}`);
    tell({ type: 'done', id, outputs: heads, inputMs, inferMs, ...resources() }, parts);
  } catch (error) {
    tell({ type: 'error', id, message: error instanceof Error ? error.message : String(error) });
  }
}

function headOf(name: string, { outputs }: InferenceModel, results: NamedTensors) {
  const { dtype } = outputs.find((output) => output.name === name)!;
  return { name, dtype, shape: results[name]!.shape };
}

function feedsOf(inputs: RunMessage['inputs'], body: Uint8Array): NamedTensors {
  let at = 0;
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => {
      const data = view(dtype, body, at, shape);
      at += padded(data.byteLength);
      return [name, { data, shape }];
    }),
  );
}

/** A view of the body as it came: its start is that of its buffer, and parts begin at multiples of eight. */
function view(dtype: DType, body: Uint8Array, at: number, shape: readonly number[]): TensorData {
  const elements = shape.reduce((product, size) => product * size, 1);
  return new arrays[dtype](body.buffer as ArrayBuffer, body.byteOffset + at, elements);
}

function tell(message: FromWorker, parts: readonly Uint8Array[] = []): void {
  writeParts(
    OUT,
    framed(
      message,
      parts.map((part) => [part]),
    ),
  );
}

let measured = { at: -Infinity, rssBytes: 0 };

/** Memory is asked for once a second: that takes longer than the rest of an answer. */
function resources(): Resources {
  const now = monotonicMs();
  if (now - measured.at > 1000) measured = { at: now, rssBytes: process.memoryUsage.rss() };
  const { user, system } = process.cpuUsage();
  return { rssBytes: measured.rssBytes, cpuSeconds: (user + system) / 1e6 };
}

for (;;) {
  const began = readFrame(IN);
  if (began === undefined) process.exit(0);
  const { body } = began;
  const head = began.head as ToWorker;
  if (head.type === 'model') given.push({ message: head, bytes: body.subarray(0, head.bytes) });
  else if (head.type === 'start') await start(head);
  else answer(head, body, monotonicMs());
}
