import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { quantize } from '../../src/compress/quantize/ptq.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import type { TfliteOptions } from '../../src/formats/tflite/export.ts';
import { streamOf, streamScales } from '../../src/streams/graph/stream.ts';
import type { Quantization } from '../../src/graph/quantization.ts';
import type { Graph } from '../../src/graph/types.ts';
import { openerOf } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { storePasts } from '../../src/streams/pasts.ts';
import { useCpu } from '../support/cpu.ts';
import { part, sequences, STREAM_NETS, streamNet, wholeAnswer } from '../support/streams.ts';
import { runPython } from './python.ts';

beforeAll(useCpu);

const SEQUENCES = 100;
const MORE = 6;

interface StreamVerdict {
  readonly name: string;
  readonly error: number;
  readonly compared: number;
  /** Of int8: largest difference from the int8 file of whole windows, in steps of the output; share of equal answers. */
  readonly steps?: number;
  readonly same?: number;
}

/** Hops [sequences, hops, frames, ...] of sequences [sequences, frames, ...], in windows of `size` frames, `by` frames apart. */
function cutInto(x: tf.Tensor, size: number, by: number, from = 0): tf.Tensor {
  const parts: tf.Tensor[] = [];
  for (let start = from; start + size <= x.shape[1]!; start += by) parts.push(part(x, start, size));
  return tf.stack(parts, 1);
}

async function casesIn(folder: string, isInt8: boolean): Promise<void> {
  const manifest: Record<string, unknown>[] = [];
  const file = (name: string, content: Uint8Array): string => {
    writeFileSync(path.join(folder, name), content);
    return name;
  };
  for (const [i, name] of STREAM_NETS.entries()) {
    const graph = streamNet(name);
    const stream = streamOf(graph);
    const { hop, window, perFrame, isWindowed } = stream;
    const x = sequences(graph, SEQUENCES, window + MORE * hop, `tflite ${name}`);
    const first = window / hop - 1;
    const isFrames = perFrame.size > 0;
    const [from, to] = isFrames ? [0, first + 1] : isWindowed ? [first, first + 1 + MORE] : [first, first + 1];
    const hops = cutInto(x, hop, hop);
    const windows = cutInto(part(x, 0, window + (to - first - 1) * hop), window, hop);
    const rows: Float32Array[] = [];
    for (const one of tf.unstack(windows, 1)) rows.push(await wholeAnswer(graph, one));
    const width = rows[0]!.length / SEQUENCES / (isFrames ? window : 1);
    const expected = isFrames
      ? tf.tensor(rows[0]!, [SEQUENCES, window, width])
      : tf.stack(rows.map((row) => tf.tensor(row, [SEQUENCES, width])), 1); // prettier-ignore
    const options: TfliteOptions = isInt8
      ? { precision: 'integer', quantization: await scalesOf(graph, part(x, 0, window)), ends: 'float32' }
      : {};
    const quantization = options.quantization && streamScales(stream, options.quantization);
    const made = exportTflite(stream.graph, { ...options, ...(quantization && { quantization }), storePasts });
    const data = async (tensor: tf.Tensor): Promise<Uint8Array> => bytesOf((await tensor.data()) as Float32Array);
    const whole = isInt8 && isWindowed && { whole: file(`${i}-whole.tflite`, exportTflite(graph, options).bytes) };
    const step = [...graph.outputs.values()].map((value) => options.quantization?.get(value)?.scales[0])[0];
    manifest.push({
      ...{ name, from, to, stream: file(`${i}.tflite`, made.bytes), step },
      ...{ hops: file(`${i}.hops`, await data(hops)), hopsShape: hops.shape },
      ...{ expected: file(`${i}.expected`, await data(expected)), expectedShape: expected.shape },
      ...(whole && { ...whole, windows: file(`${i}.windows`, await data(windows)), windowsShape: windows.shape }),
    });
  }
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
}

async function scalesOf(graph: Graph, x: tf.Tensor): Promise<Quantization> {
  const feeds = { x: { data: (await x.data()) as Float32Array, shape: x.shape } };
  const session = sessionOptions('cpu', { threads: 1 });
  return (await quantize(graph, [feeds], { calibrator: 'minmax', open: openerOf(session), dense: 'tensor' })).result;
}

async function verdicts(isInt8: boolean): Promise<readonly StreamVerdict[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'streams-'));
  try {
    await casesIn(folder, isInt8);
    return runPython('tflite_streams.py', folder) as StreamVerdict[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it('answers each hop of 100 sequences in the official interpreter as the window that ends with it', async () => {
  const found = await verdicts(false);
  process.stdout.write(`${found.map((row) => JSON.stringify(row)).join('\n')}\n`);
  expect(found.map(({ name }) => name)).toEqual(STREAM_NETS);
  for (const { error, compared } of found) {
    expect(compared).toBeGreaterThan(0);
    expect(error).toBeLessThan(1e-5);
  }
});

it('answers in int8 as the int8 file of whole windows', async () => {
  const found = await verdicts(true);
  process.stdout.write(`${found.map((row) => JSON.stringify(row)).join('\n')}\n`);
  expect(found.map(({ name }) => name)).toEqual(STREAM_NETS);
  for (const { steps, same } of found.filter((row) => row.steps !== undefined)) {
    expect(steps).toBeLessThanOrEqual(1.01);
    expect(same).toBeGreaterThan(0.98);
  }
});
