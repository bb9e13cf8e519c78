import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Comparison, Pair } from '../../bench/tflite-cases.ts';
import { isLessAccurate, PRECISIONS, readFileOf, writeConversion } from '../../bench/tflite-cases.ts';
import type { Net, NetName } from '../../bench/tflite-nets.ts';
import { loadPictures, makeNet, NETS } from '../../bench/tflite-nets.ts';
import type { TfliteDescription } from '../../src/formats/tflite/describe/describe.ts';
import { describeTflite } from '../../src/formats/tflite/describe/describe.ts';
import type { Precision } from '../../src/formats/tflite/export.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { writeTflite } from '../../src/formats/tflite/write.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';

/** Quantizing mobilenet-v2 takes too long for a test: `npm run bench:tflite` compares it. */
const names = (Object.keys(NETS) as NetName[]).filter((name) => name !== 'mobilenet-v2');
const pairs = names.flatMap((name) => PRECISIONS.map((precision) => [name, precision] as const));

describe('beside tf.lite.TFLiteConverter, on the same weights', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tflite-'));
  const nets = new Map<string, Net>();
  let results: readonly Comparison[];
  const pairOf = (name: NetName, precision: Precision): Pair => results.find((one) => one.name === name)![precision];

  beforeAll(async () => {
    useLazyBackend(evaluator);
    const data = await loadPictures();
    for (const name of names) nets.set(name, await makeNet(name, data));
    const manifest = [...nets.values()].map((net) => writeConversion(folder, net));
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    results = runPython('tflite_convert.py', folder) as Comparison[];
    console.log(pairs.map(([name, precision]) => line(name, precision, pairOf(name, precision))).join('\n'));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(pairs)('%s %s: no larger, no more operators', (name, precision) => {
    const { ours, theirs } = pairOf(name, precision);
    expect(ours.bytes).toBeLessThanOrEqual(theirs.bytes);
    expect(ours.operators).toBeLessThanOrEqual(theirs.operators);
  });

  it.each(names)('%s: learned something to lose', (name) => {
    const { accuracy, agreement } = pairOf(name, 'float32').theirs;
    expect(accuracy).toBeGreaterThan(0.7);
    expect(agreement).toBeGreaterThan(0.99);
  });

  it.each(pairs)('%s %s: right as often, within the sampling error', (name, precision) => {
    expect({ ...pairOf(name, precision), isLessAccurate: isLessAccurate(pairOf(name, precision)) }).toMatchObject({
      isLessAccurate: false,
    });
  });

  it.each(pairs)('%s %s: their file is read, written again to the byte, and described', (name, precision) => {
    const pair = pairOf(name, precision);
    const bytes = readFileOf(folder, pair);
    const model = readTflite(bytes);
    const written = writeTflite(model);
    expect(readTflite(written)).toEqual(model);
    expect(Buffer.compare(writeTflite(readTflite(written)), written)).toBe(0);
    const [theirs, ours] = [describeTflite(bytes), describeTflite(nets.get(name)!.files[precision])];
    expect(theirs.layers).toHaveLength(pair.theirs.operators);
    expect(theirs.signatures).toEqual(ours.signatures);
    const end = ({ inputs: [input] }: TfliteDescription): unknown => [input!.dtype, input!.shape];
    expect(end(theirs)).toEqual(end(ours));
    expect(theirs.macs).toBe(ours.macs);
  });

  it.each(pairs)('%s %s: operators of the same versions, for runtimes as old', (name, precision) => {
    const [ours, theirs] = [nets.get(name)!.files[precision], readFileOf(folder, pairOf(name, precision))].map(
      (bytes) => describeTflite(bytes),
    ) as [TfliteDescription, TfliteDescription];
    // The converter gives all operators of a kind the highest version that one of them needs.
    const versions = ({ layers }: TfliteDescription): Record<string, number> => {
      const highest: Record<string, number> = {};
      for (const { op, version } of layers) highest[op] = Math.max(version, highest[op] ?? 0);
      return highest;
    };
    // Theirs has a scale for each unit of a dense layer, which takes 2.17 whatever version it bears, ours one for all units.
    const perUnit = theirs.minimumRuntime === '2.17.0';
    const dense = precision === 'integer' ? 4 : 9;
    expect(versions(ours)).toEqual({ ...versions(theirs), ...(perUnit && { FULLY_CONNECTED: dense }) });
    if (!perUnit) expect(ours.minimumRuntime).toBe(theirs.minimumRuntime);
    expect(ours.minimumRuntime).not.toBe('2.17.0');
  });
});

function line(name: string, precision: Precision, { ours, theirs, onlyOurs, onlyTheirs }: Pair): string {
  const share = (of: Pair['ours']): string => (of.accuracy ?? of.agreement).toFixed(4);
  return [
    `${name} ${precision}`.padEnd(24),
    `${ours.bytes} / ${theirs.bytes} bytes`.padEnd(28),
    `${ours.operators} / ${theirs.operators} operators`.padEnd(24),
    `right ${share(ours)} / ${share(theirs)}, alone ${onlyOurs} / ${onlyTheirs}`,
  ].join('');
}
