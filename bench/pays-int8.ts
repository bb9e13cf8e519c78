/**
 * What parts of quantization after training gain: score, and power of the answers over that of their error in dB (SQNR), of int8
 * files made with and without each, on samples that calibrated nothing.
 * `node node_modules/.cache/bench/bench/pays-int8.js RECIPE.yaml FILE.onnx [RECIPE.yaml FILE.onnx ...]` after `npm run bench:build`
 */
import { calibrationSamples, prepareInt8 } from '../src/ship/quantize.ts';
import type { PtqRecipe } from '../src/ship/quantize.ts';
import { openSource } from '../src/ship/convert/source.ts';
import { viewOf, PLAIN } from '../src/data/batches/batches.ts';
import { exportQdq } from '../src/formats/onnx/qdq/qdq.ts';
import { encodeModel } from '../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../src/formats/onnx/lower.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { modelFeeds } from '../src/runtime/feeds.ts';
import { InferenceModel } from '../src/runtime/inference.ts';
import { sessionOptions } from '../src/runtime/onnxruntime.ts';
import { loadData } from '../src/setup/data.ts';
import { withFolders } from '../src/setup/with-folders.ts';
import { taskOf } from '../src/tasks/registry.ts';
import { table } from './processes.ts';

const PLAINLY: PtqRecipe = {
  scheme: 'int8',
  calibrator: 'mse',

  biasCorrection: true,
  dense: 'channel',
  kept: [],
};
const VARIANTS: Readonly<Record<string, Partial<PtqRecipe>>> = {
  'as by default': {},
  'no bias correction': { biasCorrection: false },
  'dense: tensor': { dense: 'tensor' },
  minmax: { calibrator: 'minmax' },
  percentile: { calibrator: 'percentile' },
};
const [CALIBRATED, SCORED] = [256, 2000];
const session = sessionOptions('cpu', { threads: 1 });

const rows: string[][] = [];
const files = process.argv.slice(2);
for (let at = 0; at < files.length; at += 2) {
  const [recipeFile, file] = files.slice(at, at + 2) as [string, string];
  const { recipe } = await loadRecipe(recipeFile, { withFolders });
  const [data, { graph }] = [await loadData(recipe), await openSource(file, undefined)];
  const samples = calibrationSamples({ recipe, data }, graph, CALIBRATED);
  const { test } = data;
  const count = Math.min(SCORED, test!.count);
  const ends = { inputs: [...graph.inputs].map(([name, { dtype }]) => ({ name, dtype })) };
  const x = viewOf(
    test!,
    Array.from({ length: count }, (_, i) => i),
    PLAIN,
  );
  const feeds = modelFeeds(ends, x, [count, ...test!.sampleShape], test!.inputs);
  const task = taskOf(test!);
  const targets = test!.targets.subarray(0, count * task.targetWidth);
  const answers = async (bytes: Uint8Array): Promise<Float32Array> => {
    const model = new InferenceModel(bytes, file, session);
    const [result] = Object.values(await model.run(feeds));
    model.dispose();
    return result!.data as Float32Array;
  };
  const float = await answers(encodeModel(lowerToOnnx(graph)));
  rows.push([file, 'float32', task.score.text(task.scoreOf(float, targets)), '-']);
  for (const [name, change] of Object.entries(VARIANTS)) {
    const made = await prepareInt8({ device: 'cpu', threads: 1 }, graph, { ...PLAINLY, ...change }, samples);
    const given = await answers(encodeModel(exportQdq(made.graph, made.quantization).result));
    const [power, error] = given.reduce(([p, e], y, i) => [p + float[i]! ** 2, e + (float[i]! - y) ** 2], [0, 0]);
    const dB = 10 * Math.log10(power / error);
    rows.push([file, name, task.score.text(task.scoreOf(given, targets)), dB.toFixed(2)]);
    console.error(rows.at(-1)!.join('  '));
  }
}
console.log(table(['file', 'int8 file', 'score', 'SQNR, dB'], rows));
