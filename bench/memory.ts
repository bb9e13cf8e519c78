/** Memory of a training step beside its estimate, a process for each measurement: `npm run bench:memory`. Linux. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('memory-child.js', import.meta.url));
const cases = [
  ['ds-cnn', 28, 1, [64, 128, 256]],
  ['resnet', 64, 3, [32, 64]],
  ['mobilenet-v2', 96, 3, [8, 16, 32]],
  ['mobilenet-v2', 224, 3, [4]],
] as const;

console.log('| model | input | batch | estimated, MB | measured, MB |');
console.log('| ----- | ----- | ----: | ------------: | -----------: |');
for (const [model, size, channels, batches] of cases) {
  for (const batch of batches) {
    const printed = execFileSync(process.execPath, [child, model, ...[size, channels, batch].map(String)]);
    const { peak, estimate } = JSON.parse(printed.toString()) as { readonly peak: number; readonly estimate: number };
    console.log(`| ${model} | ${size}×${size}×${channels} | ${batch} | ${estimate} | ${peak} |`);
  }
}
