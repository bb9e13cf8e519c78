/** Memory of a training step beside its estimate, whole and in parts, a process for each measurement: `npm run bench:memory`. Linux. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('memory-child.js', import.meta.url));
const cases = [
  ['ds-cnn', 28, 1, [[64], [128], [256], [256, 256, 255], [256, 32]]],
  ['resnet', 64, 3, [[32], [32, 32, 16], [64], [64, 8]]],
  ['mobilenet-v2', 96, 3, [[8], [16], [32], [32, 32, 16], [32, 8]]],
  ['mobilenet-v2', 224, 3, [[4], [8], [8, 2], [128, 4]]],
] as const;

console.log('| model | input | batch | the last | microBatch | estimated, MB | measured, MB | a step, s |');
console.log('| ----- | ----- | ----: | -------: | ---------: | ------------: | -----------: | --------: |');
for (const [model, size, channels, batches] of cases) {
  for (const [batch, samples, rest] of batches as readonly (readonly number[])[]) {
    const numbers = [size, channels, batch!, samples ?? batch!, rest ?? 0];
    const printed = execFileSync(process.execPath, [child, model, ...numbers.map(String)]);
    const { peak, estimate, seconds } = JSON.parse(printed.toString()) as Record<string, number>;
    const input = `${size}×${size}×${channels}`;
    console.log(
      `| ${model} | ${input} | ${batch} | ${rest ?? ''} | ${samples === batch ? '' : (samples ?? '')} | ${estimate} | ${peak} | ${seconds!.toFixed(2)} |`,
    );
  }
}
