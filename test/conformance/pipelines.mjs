/**
 * `node pipelines.mjs MODULE ASKED.json`: opens folders with pipeline() of transformers.js, whose module is at MODULE. ASKED.json lists
 * `{ pipeline, folder, dtype, inputs, threshold }`; prints, as JSON, what `answersOf` gives for each.
 */
import { readFileSync } from 'node:fs';
import { dirname, basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { answersOf } from './pipelines-ask.mjs';

const [module, asked] = process.argv.slice(2);
const { pipeline, env } = await import(pathToFileURL(module).href);
env.allowRemoteModels = false;
const all = [];
for (const { folder, ...one } of JSON.parse(readFileSync(asked, 'utf8'))) {
  env.localModelPath = dirname(folder);
  all.push(await answersOf(pipeline, { ...one, name: basename(folder) }));
}
console.log(JSON.stringify(all));
