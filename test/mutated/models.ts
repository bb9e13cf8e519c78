import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { readBytes } from '../../src/base/files.ts';
import { openTeacher } from '../../src/distill/teachers/open.ts';
import { associatedFiles } from '../../src/formats/tflite/metadata/archive.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { openSource } from '../../src/ship/convert/source.ts';
import { inspectFile } from '../../src/tools/inspect.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { endsOfFile } from '../../src/runtime/litert.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { countingDataset } from '../data/support.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import { pruned } from '../formats/tflite/pruned.ts';
import { exported, floats, randomFeeds, sketch } from '../formats/tflite/support.ts';
import type { Sketch } from '../formats/tflite/support.ts';
import { savedTfjs } from '../support/saved-tfjs.ts';
import { sane } from './reader.ts';
import type { Reader } from './reader.ts';

const SAMPLE = [8, 8, 1];
const CLASSES = 3;

function network(g: Sketch): string {
  const x = g.input('image', floats('batch', 8, 8, 1));
  const y = g.op('Conv2D', [x, g.weights([3, 3, 1, 4])], { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] });
  const pooled = g.op('Mean', [g.op('Relu', [y])], { axes: [1, 2], keepDims: false });
  return g.op('BatchMatMul', [pooled, g.weights([4, CLASSES])], { transposeA: false, transposeB: false });
}

const graph = sketch(network);
const onnx = { files: { 'a.onnx': encodeModel(lowerToOnnx(graph)) }, damaged: 'a.onnx' };

const description = {
  name: 'small',
  labels: ['a', 'b', 'c'],
  inputs: { image: { image: { colorSpace: 'grayscale' as const, mean: [0], std: [255] } } },
};
const published = createRequire(import.meta.url).resolve('@mediapipe/face_detection/face_detection_short_range.tflite');
const quantization = calibrated(graph, [randomFeeds(graph)]);

/** All that is done with a file that came from somewhere. */
async function readTfliteFile(folder: string): Promise<void> {
  const file = path.join(folder, 'a.tflite');
  await inspectFile(file);
  const bytes = await readBytes(file);
  associatedFiles(bytes);
  endsOfFile(bytes, file);
}

/** Places that say something about the model: all but the inside of its larger constants. */
function structure(bytes: Uint8Array): number[] {
  const isWeight = new Uint8Array(bytes.length);
  for (const { data } of readTflite(bytes).buffers) {
    if (data !== undefined && data.length > 512) isWeight.fill(1, data.byteOffset, data.byteOffset + data.length);
  }
  return Array.from(bytes.keys()).filter((at) => isWeight[at] === 0);
}

function tflite(bytes: Uint8Array, factor: number): Reader {
  const files = { 'a.tflite': bytes };
  return { files, damaged: 'a.tflite', places: structure(bytes), factor, read: readTfliteFile };
}

async function layersModel(): Promise<Record<string, Uint8Array | string>> {
  useLazyBackend(evaluator);
  const seeded = (seed: number) => initializers.glorotUniform({ seed });
  const model = sequential();
  model.add(
    layers.conv2d({ inputShape: SAMPLE, filters: 2, kernelSize: 3, activation: 'relu', kernelInitializer: seeded(1) }),
  );
  model.add(layers.batchNormalization());
  model.add(layers.flatten());
  model.add(layers.dense({ units: CLASSES, kernelInitializer: seeded(2) }));
  return savedTfjs(model);
}

async function exportFrom(folder: string, name: string): Promise<void> {
  const { graph: read } = await openSource(path.join(folder, name), '');
  for (const [, { shape }] of read.inputs) {
    const isSize = (size: unknown): boolean => typeof size !== 'number' || (Number.isSafeInteger(size) && size >= 0);
    sane(shape.every(isSize), `an input is [${shape.join(', ')}]`);
  }
}

async function teachFrom(folder: string): Promise<void> {
  const dataset = countingDataset(4, SAMPLE, CLASSES);
  const session = { executionProviders: ['cpu'], intraOpNumThreads: 1 };
  const recipe = { onnx: path.join(folder, 'a.onnx'), layout: 'auto', outputs: 'auto', intermediate: [] } as const;
  // @ts-expect-error an ONNX file needs no engine
  const { teacher } = await openTeacher(recipe, { engine: undefined, session, dataset, name: path.basename });
  try {
    const { logits } = await teacher.answer(new Float32Array(64), 1);
    sane(logits.length === teacher.classes, `it has ${logits.length} logits for ${teacher.classes} classes`);
  } finally {
    await teacher.dispose();
  }
}

const tfjsFiles = await layersModel();
const fromTfjs = { files: tfjsFiles, read: (folder: string) => exportFrom(folder, 'model.json') };

export const modelReaders: Readonly<Record<string, Reader>> = {
  'ONNX file to inspect': { ...onnx, read: (folder) => inspectFile(path.join(folder, 'a.onnx')) },
  'ONNX file to export': { ...onnx, read: (folder) => exportFrom(folder, 'a.onnx') },
  'ONNX teacher': { ...onnx, read: teachFrom },
  'model.json': { ...fromTfjs, damaged: 'model.json', text: true },
  'weights of a model.json': { ...fromTfjs, damaged: 'weights.bin' },
  'TFLite file': tflite(exported(graph, { description }), 10),
  'quantized TFLite file': tflite(
    exported(graph, { precision: 'integer', quantization, ends: 'uint8', description }),
    10,
  ),
  'sparse TFLite file': tflite(exported(pruned(40), { sparse: true, description }), 10),
  "TFLite file of MediaPipe's": tflite(new Uint8Array(readFileSync(published)), 1),
};
