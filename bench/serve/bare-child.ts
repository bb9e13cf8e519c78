/** Runs FILE in a bare loop on one thread: `bare-child.js FILE SAMPLES SECONDS`, prints samples per second as JSON. */
import '../../src/features.ts';
import { readFileSync } from 'node:fs';
import { noise } from '../../src/measure/inputs.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';

const [file = '', samples = '1', seconds = '1'] = process.argv.slice(2);
const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', { threads: 1 }));
const feeds = Object.fromEntries(
  model.inputs.map(({ name, dtype, shape }) => {
    const full = shape.map((size, i) => (i === 0 ? Number(samples) : Number(size)));
    return [name, { data: noise(dtype, full), shape: full }];
  }),
);
for (let i = 0; i < 5; i++) model.runNow(feeds);
const start = performance.now();
const before = process.cpuUsage();
let calls = 0;
while (performance.now() - start < 1000 * Number(seconds)) {
  model.runNow(feeds);
  calls++;
}
const took = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(before);
const result = { rate: (calls * Number(samples)) / took, cpuMs: (user + system) / 1000 / calls };
process.stdout.write(`${JSON.stringify(result)}\n`);
