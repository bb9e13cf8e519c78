import { parse } from 'csv-parse/sync';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { openText } from '../../src/data/text/open.ts';
import { createLoss } from '../support/losses.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../src/runtime/onnxruntime/engine.ts';
import { ofNeighbours, retrievalOf } from '../../src/answers/vector/retrieval.ts';
import { embedding } from '../../src/answers/vector/task.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { batchFeeds, fedTo } from '../../src/train/step/batch.ts';
import { trainingProgram } from '../../src/train/step/step.ts';
import { ROOT } from '../support/built.ts';
import { runPython } from './python.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'embed-distill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const [SIZE, WIDTH, LENGTH, BATCH, STEPS, RATE] = [32, 48, 64, 64, 300, 0.01];
/** Words of a text, few enough that none is cut at `LENGTH` tokens, as sentence-transformers cuts none. */
const WORDS = 8;
/** Steps whose losses are compared one by one. */
const FIRST = 20;

function textsOf(split: string, count: number): string[] {
  const file = readFileSync(path.join(ROOT, `datasets/wordnet-pairs/${split}.csv`), 'utf8');
  const rows = parse<{ first: string; second: string }>(file, { columns: true });
  return rows.slice(0, count).map(({ first, second }) => `${first} ${second}`.split(' ').slice(0, WORDS).join(' '));
}

const [train, test] = [textsOf('train', 3000), textsOf('test', 500)];
/** The teacher's vectors of the texts of train, then of test. */
let vectors: readonly (readonly number[])[] = [];

beforeAll(() => {
  useLazyBackend(evaluator);
  writeFileSync(at('texts.json'), JSON.stringify([...train, ...test]));
  vectors = runPython('embed_distill.py', folder, 'prepare', `${WIDTH}`) as typeof vectors;
}, 300_000);

interface Trained {
  readonly losses: readonly number[];
  /** [test texts, WIDTH] */
  readonly vectors: readonly (readonly number[])[];
}

it.each(['mse', 'cosine'] as const)(
  'a bag of token vectors learns by %s what it learns with the loss of sentence-transformers',
  async (metric) => {
    const { encode, form } = await openText({ column: 'text', tokenizer: at('tokenizer.json'), length: LENGTH });
    const options = { vocabulary: form.vocabulary, padding: form.padding, size: SIZE };
    const network = layersNetwork(
      buildModel('embedding-bag', { inputShape: [LENGTH], classes: WIDTH, seed: 1, options }),
    );
    const values = (name: string): number[] => Array.from(network.state[name]!.dataSync());
    const begin = { tokens: values('tokens/embeddings'), kernel: values('logits/kernel'), bias: values('logits/bias') };
    const random = new RandomStream('embed-distill', metric);
    const order = Array.from({ length: STEPS * BATCH }, () => random.below(train.length));
    writeFileSync(at('begin.json'), JSON.stringify({ ...begin, order, metric, batch: BATCH, rate: RATE, size: SIZE, tested: test.length })); // prettier-ignore

    const task = embedding({ classNames: [], vector: { size: WIDTH, prefixes: [] } });
    const loss = createLoss(metric, { hyper: { alpha: 1 }, ofLabels: {}, answers: { width: WIDTH, groups: 1 } });
    const optimizer = createOptimizer({ type: 'adam' }, network.trainable);
    const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
    const step = await engine.compile(trainingProgram({ task, network, loss, optimizer, batchSize: BATCH }));
    const hyper = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)] as const);
    const ids = [...train, ...test].map((text) => encode([text]).ids);
    expect(ids.every((row) => row.at(-1) === form.padding)).toBe(true);
    const losses: number[] = [];
    for (let done = 0; done < STEPS; done++) {
      const rows = order.slice(done * BATCH, (done + 1) * BATCH);
      const batch = {
        x: Float32Array.from(rows.flatMap((row) => Array.from(ids[row]!))),
        targets: new Float32Array(BATCH * WIDTH),
        teacher: { teacherLogits: Float32Array.from(rows.flatMap((row) => vectors[row]!)) },
      };
      const feeds = { ...batchFeeds(batch, task, 'a step'), ...Object.fromEntries(hyper), ...optimizer.feedValues(done, RATE) }; // prettier-ignore
      losses.push(Number((await step.run(fedTo(step, feeds), done))['loss']![0]));
    }
    const state = await step.state();
    await step.dispose();
    const weights = (name: string): Float32Array => state.get(name)!.data as Float32Array;
    const [tokens, kernel, bias] = ['tokens/embeddings', 'logits/kernel', 'logits/bias'].map(weights) as [Float32Array, Float32Array, Float32Array]; // prettier-ignore
    const ours = ids.slice(train.length).flatMap((row) => {
      const own = Array.from(row).filter((id) => id !== form.padding);
      const mean = Array.from({ length: SIZE }, (_, k) => own.reduce((sum, id) => sum + tokens[id * SIZE + k]! / own.length, 0)); // prettier-ignore
      return Array.from(bias, (b, j) => mean.reduce((sum, value, k) => sum + value * kernel[k * WIDTH + j]!, b));
    });

    const theirs = runPython('embed_distill.py', folder, 'train', `${WIDTH}`) as Trained;
    losses.slice(0, FIRST).forEach((one, i) => {
      expect([i, one]).toEqual([i, expect.closeTo(theirs.losses[i]!, 4)]);
    });
    const byTeacher = ofNeighbours({ values: Float32Array.from(vectors.slice(train.length).flat()), width: WIDTH });
    const scoreOf = (rows: readonly number[]): number =>
      retrievalOf({ values: Float32Array.from(rows), width: WIDTH }, byTeacher).recall[0];
    const [own, other] = [scoreOf(ours), scoreOf(theirs.vectors.flat())];
    const last = [losses, theirs.losses].map((all) => all.at(-1)!.toExponential(3));
    process.stdout.write(
      `${metric}: recall@1 ours ${(100 * own).toFixed(1)} %, theirs ${(100 * other).toFixed(1)} %; last losses ${last.join(' and ')}\n`,
    );
    expect(own).toBeGreaterThan(0.5);
    expect(Math.abs(own - other)).toBeLessThanOrEqual(0.01);
  },
  300_000,
);
