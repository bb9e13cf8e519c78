import { UserError } from '../../base/errors.ts';
import { median } from '../../base/math/statistics.ts';
import { convertChecked } from '../../convert/checked.ts';
import { openIn } from '../../convert/compare.ts';
import type { AnsweringModel, Runtimes } from '../../convert/compare.ts';
import { convert, readSource } from '../../convert/convert.ts';
import { inspect } from '../../convert/inspect.ts';
import { formatOf, refuseOverLimit, sourceFile } from '../../convert/read.ts';
import type { ReadOptions } from '../../convert/read.ts';
import { inBatches, splitRows } from '../../convert/rows.ts';
import { samplesIn } from '../../compress/quantize/observe.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import { missingFile } from '../../formats/onnx/protobuf.ts';
import type { ChosenModel, Failure, MadeFile, Task, Told } from './messages.ts';
import { runtimesHere } from './runtimes.ts';
import { samplesFor, streamOf } from './samples.ts';

interface WorkerScope {
  postMessage(message: Told): void;
  addEventListener(
    type: 'message',
    listener: (event: { readonly data: Task & { missing: readonly string[] } }) => void,
  ): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.addEventListener('message', ({ data: { missing, ...task } }) => {
  perform(task, missing).then(
    (told) => scope.postMessage(told),
    (error: unknown) => scope.postMessage({ kind: 'failed', failure: failureOf(error) }),
  );
});
scope.postMessage({ kind: 'ready' });

async function perform({ model, make }: Task, missing: readonly string[]): Promise<Told> {
  const { bytes, options } = await read(model);
  if (make === undefined) return { kind: 'inspected', inspected: await inspect(bytes, options) };
  return { kind: 'made', made: await made(bytes, options, make, await runtimesHere(make.to, missing)) };
}

/** The file and those beside it. An ONNX model names the files of its weights, perhaps in folders, which the user's files are found by the last part of. */
async function read({ file, others, shape }: ChosenModel): Promise<{ bytes: Uint8Array; options: ReadOptions }> {
  for (const { size, name } of [file, ...others]) refuseOverLimit(size, name);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const files: Record<string, Uint8Array> = {};
  const options = { name: file.name, shape, files };
  if (formatOf(bytes) !== 'onnx') return { bytes, options };
  for (;;) {
    const named = missingFile(
      bytes,
      new Map(Object.entries(files).map(([name]) => [name, { size: 0, read: () => bytes }])),
    );
    const found = others.find(({ name }) => named?.split(/[/\\]/).at(-1) === name);
    if (named === undefined || found === undefined) return { bytes, options };
    files[named] = new Uint8Array(await found.arrayBuffer());
  }
}

async function made(
  bytes: Uint8Array,
  options: ReadOptions,
  { to, precision, samples: choice }: NonNullable<Task['make']>,
  runtimes: Runtimes,
): Promise<MadeFile> {
  const start = performance.now();
  const onProgress = (what: string, done: number, total: number): void =>
    scope.postMessage({ kind: 'progress', what, done, total });
  const { name = 'model' } = options;
  const asked = { ...options, to, precision, runtime: runtimes.onnx, onProgress };
  const isCalibrated = precision === 'int8' || precision === 'int16x8';
  if (runtimes.onnx === undefined || (to === 'tflite' && runtimes.tflite === undefined)) {
    const { files, ...rest } = await convert(bytes, asked);
    const [[file, content]] = [...files] as [[string, Uint8Array]];
    const seconds = (performance.now() - start) / 1000;
    return {
      name: file,
      bytes: content,
      ...rest,
      seconds,
      worth: 'It was not compared with its source: a runtime is not installed beside this page.',
    };
  }
  onProgress('reading', 0, 1);
  const source = await readSource(bytes, asked);
  const { inputs } = source.graph;
  const { rows, worth } = await samplesFor(inputs, choice, isCalibrated);
  const split = splitRows(source.graph, rows, { isCalibrated, most: 512, random: await streamOf('calibration') });
  const reference = await openIn(runtimes, sourceFile(bytes, source.model, name), name);
  try {
    const { files, outputs, isHeldOut, beyond, ...rest } = await convertChecked(
      source,
      reference,
      asked,
      split,
      runtimes,
    );
    const [[file, content]] = [...files] as [[string, Uint8Array]];
    const seconds = (performance.now() - start) / 1000;
    onProgress('timing', 0, 1);
    const latency = await timed(reference, content, inBatches(inputs, rows, [0], 1)[0]!, runtimes);
    const count = split.check.reduce((sum, feeds) => sum + samplesIn(feeds), 0);
    const compared = { outputs, isHeldOut, beyond, samples: count };
    return { name: file, bytes: content, ...rest, compared, latency, worth, seconds };
  } finally {
    reference.dispose();
  }
}

/** Milliseconds that each model is timed for at most, and times that are taken. */
const [TIMED_MS, MOST_TIMES] = [1500, 50];

async function timed(
  reference: AnsweringModel,
  file: Uint8Array,
  sample: Feeds,
  runtimes: Runtimes,
): Promise<{ source: number; made: number }> {
  const opened = await openIn(runtimes, file, 'the new file');
  try {
    return { source: await medianOf(reference, sample), made: await medianOf(opened, sample) };
  } finally {
    opened.dispose();
  }
}

/** Calls are timed together until they take this long: browsers tell the time in steps of a tenth of a millisecond. */
const LEAST_MS = 5;

async function medianOf(model: AnsweringModel, sample: Feeds): Promise<number> {
  const times: number[] = [];
  const elapsed = async (calls: number): Promise<number> => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) await model.run(sample);
    return performance.now() - start;
  };
  let calls = 1;
  while ((await elapsed(calls)) < LEAST_MS) calls *= 2;
  for (let spent = 0; spent < TIMED_MS && times.length < MOST_TIMES;) {
    const took = await elapsed(calls);
    times.push(took / calls);
    spent += took;
  }
  return median(times);
}

function failureOf(error: unknown): Failure {
  if (error instanceof UserError) return { message: error.message, hint: error.hint };
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'RangeError' || /memory|allocation/i.test(message))
    return {
      message: `this browser has too little memory for the model (${message})`,
      hint: 'Close other pages, or convert it by the command line: limbeck export --from.',
    };
  if (name === 'NotReadableError' || name === 'NotFoundError')
    return { message: `the file cannot be read (${message})`, hint: 'Choose it again.' };
  return { message: `the page failed: ${message}` };
}
