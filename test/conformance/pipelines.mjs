/**
 * `node pipelines.mjs MODULE ASKED.json`: opens folders with pipeline() of transformers.js, whose module is at MODULE. ASKED.json lists
 * `{ pipeline, folder, dtype, inputs, threshold }`; prints, as JSON, the label of each input, or of each of its tokens or pixels, or its vector or boxes.
 */
import { readFileSync } from 'node:fs';
import { dirname, basename } from 'node:path';
import { pathToFileURL } from 'node:url';

const [module, asked] = process.argv.slice(2);
const { pipeline, env } = await import(pathToFileURL(module).href);
env.allowRemoteModels = false;
const all = [];
for (const { pipeline: task, folder, dtype, inputs, threshold } of JSON.parse(readFileSync(asked, 'utf8'))) {
  env.localModelPath = dirname(folder);
  const ask = await pipeline(task, basename(folder), { dtype });
  const labels = [];
  for (const input of inputs) {
    if (task === 'object-detection') labels.push(await ask(input, { threshold, percentage: true }));
    else if (task === 'image-segmentation') {
      // The label of each pixel: masks of several classes do not overlap.
      const found = await ask(input);
      const pixels = Array.from(found[0].mask.data, (_, at) => found.find(({ mask }) => mask.data[at] === 255).label);
      labels.push(pixels.join(' '));
    } else if (task === 'token-classification') {
      const tokens = await ask(input, { ignore_labels: [] });
      labels.push(tokens.map(({ entity }) => entity).join(' '));
    } else if (task.endsWith('feature-extraction')) labels.push((await ask(input)).tolist()[0]);
    else labels.push((await ask(input))[0].label);
  }
  all.push(labels);
  await ask.dispose();
}
console.log(JSON.stringify(all));
