import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { viewOf } from '../../src/data/batches/batches.ts';
import { importOnnx } from '../../src/formats/onnx/import.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { loadData } from '../../src/setup/data.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { calibrationSamples } from '../../src/ship/quantize.ts';
import { ROOT } from '../support/built.ts';
import { ofToday } from '../support/today.ts';
import { runPython } from './python.ts';

const fashion = (part: string) => ({
  images: path.join(ROOT, `datasets/fashion-mnist/${part}-images-idx3-ubyte.gz`),
  labels: path.join(ROOT, `datasets/fashion-mnist/${part}-labels-idx1-ubyte.gz`),
});
const CALIBRATORS = ['minmax', 'percentile'] as const;
const SAMPLES = 256;
const HELD_OUT = 10_000;

const STUDENTS = {
  'ds-cnn': { model: 'ds-cnn', width: 0.5, strides: [1, 2, 2] },
  resnet8: { model: 'resnet', depth: 8, strides: [2, 1, 2, 2] },
};

interface Worth {
  /** Share of the held-out samples that a file has right, and on which it gives the class of the float32 file. */
  readonly accuracy: number;
  readonly agreement: number;
  /** Power of the error of the logits, as a share of that of the logits. */
  readonly noise: number;
  /** Samples on which only the other file is right, and those on which only this one is. */
  readonly lost: number;
  readonly won: number;
}

type Verdict = Record<
  (typeof CALIBRATORS)[number],
  { readonly ours: Worth; readonly theirs: Worth; readonly time: number }
> & {
  readonly float: number;
  readonly checked: readonly string[];
};

async function compare(name: keyof typeof STUDENTS, folder: string): Promise<Verdict> {
  const step = { samples: SAMPLES, maxDrop: 100 };
  const loaded = makeRecipe(
    {
      name,
      dataset: { type: 'idx', train: fashion('train'), test: fashion('t10k') },
      student: STUDENTS[name],
      distill: { epochs: 0.5, optimizer: { learningRate: 0.005 } },
      quantize: [
        ...CALIBRATORS.map((calibrator) => ({ ...step, calibrator })),
        ...['fp16', 'dynamic-int8', 'int4'].map((scheme) => ({ scheme, maxDrop: 100 })),
      ],
      report: { latency: { seconds: 0 } },
    },
    folder,
  );
  await runRecipe(loaded, { out: folder });
  const exports = path.join(folder, name, 'exports');
  const float = 'scratch.onnx';
  const graph = importOnnx(decodeModel(new Uint8Array(await readFile(path.join(exports, float))), float), float);
  const data = await loadData(loaded.recipe);
  const batches = [...calibrationSamples({ recipe: loaded.recipe, data }, graph, SAMPLES)];
  const samples = batches.map((feeds) => Object.values(feeds)[0]!.data as Float32Array);
  const rows = Int32Array.from({ length: HELD_OUT }, (_, i) => i);
  await writeFile(path.join(exports, 'samples.bin'), Buffer.concat(samples.map((values) => bytesOf(values))));
  await writeFile(
    path.join(exports, 'heldOut.bin'),
    bytesOf(viewOf(data.test!, rows, { seed: 0, view: 0, augment: [] })),
  );
  const { sampleShape, targets: labels } = data.test!;
  const ours = CALIBRATORS.map((one, i) => [one, `scratch-int8${i === 0 ? '' : `-${i + 1}`}.onnx`]);
  const content = {
    ...{ float, ours: Object.fromEntries(ours) as object, labels: [...labels.subarray(0, HELD_OUT)] },
    samples: { file: 'samples.bin', shape: [SAMPLES, ...sampleShape] },
    heldOut: { file: 'heldOut.bin', shape: [HELD_OUT, ...sampleShape] },
    check: (await readdir(exports)).filter((file) => file.endsWith('.onnx')).sort(),
  };
  await writeFile(path.join(exports, 'case.json'), JSON.stringify(content));
  return runPython('ptq_check.py', exports) as Verdict;
}

describe.each(ofToday(Object.keys(STUDENTS) as (keyof typeof STUDENTS)[], 1))('%s', (name) => {
  let verdict: Verdict;
  beforeAll(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'conformance-'));
    verdict = await compare(name, folder).finally(() => rm(folder, { recursive: true }));
  }, 600_000);

  it('passes the official checker in every precision', () => {
    const kinds = ['', '-dynamic-int8', '-fp16', '-int4', '-int8', '-int8-2'];
    expect([...verdict.checked].sort()).toEqual(kinds.map((kind) => `scratch${kind}.onnx`).sort());
    expect(verdict.float).toBeGreaterThan(0.7);
  });

  // Two sound quantizations of one model differ by chance on some samples: of n on which just one of them is right, either
  // is expected to have half, with a standard error of √n / 2 samples. The difference is allowed two standard errors.
  it.each(CALIBRATORS)('after %s is as accurate and as fast as what quantize_static makes of it', (calibrator) => {
    const { ours, theirs, time } = verdict[calibrator];
    console.info(`${name} ${calibrator}: float ${verdict.float}, ${JSON.stringify({ ours, theirs, time })}`);
    expect(ours.won - ours.lost).toBeGreaterThanOrEqual(-2 * Math.sqrt(ours.won + ours.lost));
    expect(ours.accuracy).toBeGreaterThan(theirs.accuracy - 0.005);
    expect(ours.noise).toBeLessThan(theirs.noise);
    expect(time).toBeLessThan(1.05);
  });
});
