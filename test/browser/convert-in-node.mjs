/**
 * `node convert-in-node.mjs PROGRAM MODEL SAMPLES.npy FORMAT PRECISION RUNTIME`: what the page of the converter does, in Node with the runtime
 * `onnxruntime-web` or `onnxruntime-node`. Prints the likeness of the outputs, the seconds, and the bytes in base64.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [program, from, data, to, precision, runtime] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(program, 'dist', file)).href);
const [{ convertChecked }, { conversionsOf, readSource }, { sourceFile }, { openIn }, rows] = await Promise.all(
  ['convert/checked.js', 'convert/convert.js', 'convert/read.js', 'convert/compare.js', 'convert/rows.js'].map(load),
);
const [{ parseNpy }, { RandomStream }, { openTflite }, { rowsRunner }] = await Promise.all(
  ['base/numpy.js', 'base/random.js', 'runtime/litert.js', 'ship/parity/tflite-rows.js'].map(load),
);
const ort = await import(runtime);
const onnx = ort.default?.InferenceSession === undefined ? ort : ort.default;
if (runtime === 'onnxruntime-web') onnx.env.wasm.numThreads = 1;

const start = performance.now();
const name = path.basename(from);
const bytes = readFileSync(from);
const asked = { name, to, precision, runtime: onnx };
const source = await readSource(bytes, asked);
const samples = rows.rowsOfArray(parseNpy(readFileSync(data), data), source.graph.inputs, data);
const isCalibrated = precision === 'int8';
const split = rows.splitRows(source.graph, samples, {
  isCalibrated,
  most: 512,
  random: new RandomStream('calibration'),
});
const runtimes = { onnx, tflite: async (file) => rowsRunner(await openTflite(file)) };
const reference = await openIn(runtimes, sourceFile(bytes, source.model, name), name);
const { files, outputs } = await convertChecked(source, reference, asked, split, runtimes);
const seconds = (performance.now() - start) / 1000;
const base64 = (made) => Buffer.from([...made.values()][0]).toString('base64');
const { uncorrected } = await conversionsOf(source, { ...asked, samples: split.calibration });
const plain = outputs.map((output) => ({ ...output, sqnrDb: String(output.sqnrDb) }));
const found = {
  outputs: plain,
  seconds,
  bytes: base64(files),
  uncorrected: uncorrected && base64(uncorrected.conversion.files),
};
process.stdout.write(JSON.stringify(found), () => process.exit());
