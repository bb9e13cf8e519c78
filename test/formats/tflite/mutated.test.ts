import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { RandomStream } from '../../../src/base/random.ts';
import { associatedFiles } from '../../../src/formats/tflite/archive.ts';
import { METADATA_NAME } from '../../../src/formats/tflite/metadata.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { writeTflite } from '../../../src/formats/tflite/write.ts';
import { inspectTflite } from '../../../src/tools/inspect-model.ts';
import { modelEnds } from '../../../src/runtime/litert.ts';
import { calibrated } from './calibrate.ts';
import { pruned } from './pruned.ts';
import { refuses } from '../../support/refuses.ts';
import type { Sketch } from './support.ts';
import { exported, floats, randomFeeds, sketch } from './support.ts';

function small(g: Sketch): string {
  const x = g.input('image', floats('batch', 8, 8, 1));
  const y = g.op('Conv2D', [x, g.weights([3, 3, 1, 4])], { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] });
  const pooled = g.op('Mean', [g.op('Relu', [y])], { axes: [1, 2], keepDims: false });
  return g.op('BatchMatMul', [pooled, g.weights([4, 3])], { transposeA: false, transposeB: false });
}

const graph = sketch(small);
const description = {
  name: 'small',
  labels: ['a', 'b', 'c'],
  inputs: { image: { image: { colorSpace: 'grayscale' as const, mean: [0], std: [255] } } },
};
const published = createRequire(import.meta.url).resolve('@mediapipe/face_detection/face_detection_short_range.tflite');
const quantization = calibrated(graph, [randomFeeds(graph)]);
const files: Readonly<Record<string, Uint8Array>> = {
  'a float file': exported(graph, { description }),
  'a quantized file': exported(graph, { precision: 'integer', quantization, ends: 'uint8', description }),
  'a sparse file': exported(pruned(40), { sparse: true, description }),
  "a file of MediaPipe's": new Uint8Array(readFileSync(published)),
};

/** All that is done with a file that came from somewhere; inspecting it reads and describes it. */
const uses: readonly ((bytes: Uint8Array) => unknown)[] = [
  associatedFiles,
  (bytes) => inspectTflite(bytes, 'a.tflite'),
  (bytes) => modelEnds(readTflite(bytes)),
];

/** How many of the uses refused the bytes as the user's mistake: anything else that is thrown is ours. */
function refusals(bytes: Uint8Array): number {
  return uses.filter((use) => refuses(() => use(bytes))).length;
}

/** Places that say something about the model: all but the inside of its larger constants. */
function structure(bytes: Uint8Array): number[] {
  const isWeight = new Uint8Array(bytes.length);
  for (const { data } of readTflite(bytes).buffers) {
    if (data !== undefined && data.length > 512) isWeight.fill(1, data.byteOffset, data.byteOffset + data.length);
  }
  return Array.from(bytes.keys()).filter((at) => isWeight[at] === 0);
}

function mutate(bytes: Uint8Array, places: readonly number[], random: RandomStream): void {
  const at = places[random.below(places.length)]!;
  const view = new DataView(bytes.buffer);
  switch (random.below(3)) {
    case 0:
      bytes[at] = random.below(256);
      return;
    case 1:
      bytes[at]! ^= 1 << random.below(8);
      return;
    default:
      view.setUint32(Math.min(at & ~3, bytes.length - 4), random.below(2) === 0 ? 0xffffffff : random.uint32(), true);
  }
}

/** In all; fewer of the larger file, which takes longer. `npm run test:mutated` asks for 10,000. */
const TIMES = Number(process.env['LIMBECK_MUTATIONS'] ?? 2000);
const timesFor = (file: Uint8Array): number => Math.ceil((file.length > 100_000 ? 0.1 : 0.3) * TIMES);
const [MOST_MS, MOST_BYTES] = [2000, 512 * 2 ** 20];

describe.each(Object.entries(files))('%s', (name, file) => {
  it('is read, described and inspected', () => expect(refusals(file)).toBe(0));

  const times = timesFor(file);

  it(`is that or refused, ${times} times, with bytes changed at random`, () => {
    const random = new RandomStream('mutations', name);
    const places = structure(file);
    const before = process.memoryUsage().rss;
    let [refused, slowest] = [0, 0];
    for (let i = 0; i < times; i++) {
      const bytes = file.slice();
      for (let n = 1 + random.below(4); n > 0; n--) mutate(bytes, places, random);
      const started = process.cpuUsage().user;
      if (refusals(bytes) > 0) refused++;
      slowest = Math.max(slowest, (process.cpuUsage().user - started) / 1000);
    }
    expect(refused).toBeGreaterThan(times / 10);
    expect(refused).toBeLessThan(0.99 * times);
    expect(slowest).toBeLessThan(MOST_MS);
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_BYTES);
  });
});

it('a damaged metadata table is none, wherever the damage lies', () => {
  const model = readTflite(files['a float file']!);
  const { buffer } = model.metadata!.find(({ name }) => name === METADATA_NAME)!;
  const table = model.buffers[buffer]!.data!;
  let lost = 0;
  for (let at = 8; at < table.length; at++) {
    const data = table.map((byte, i) => (i === at ? 0xff : byte));
    const bytes = writeTflite({ ...model, buffers: model.buffers.map((old, i) => (i === buffer ? { data } : old)) });
    const { value } = inspectTflite(bytes, 'a.tflite');
    if ((value as { metadata?: unknown }).metadata === undefined) lost++;
  }
  expect(lost).toBeGreaterThan(20);
});
