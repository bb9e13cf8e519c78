import { cosinesOf } from '../../src/base/math/vectors.ts';
import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { concatBytes } from '../../src/base/bytes.ts';
import { spearman } from '../../src/base/math/ranks.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../support/losses.ts';
import { parquetVectors } from '../../src/formats/parquet/vectors.ts';
import { gradedRetrieval } from '../../src/answers/vector/graded.ts';
import { inPrecision, VECTOR_PRECISIONS } from '../../src/answers/vector/precisions.ts';
import { likenessOf, ofClasses, retrievalOf } from '../../src/answers/vector/retrieval.ts';
import { embedding } from '../../src/answers/vector/task.ts';
import { sentenceSimilarity } from '../../src/answers/vector/pairs-task.ts';
import type { Loss } from '../../src/train/step/loss.ts';
import { lossInput } from '../../src/train/step/step.ts';
import { useCpu } from '../support/cpu.ts';
import { runPython } from './python.ts';

function inPython(cases: object, files: Readonly<Record<string, Uint8Array>> = {}): unknown {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(folder, name), bytes);
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    return runPython('embedding_check.py', folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const drawn = (random: RandomStream, count: number): number[] =>
  Array.from({ length: count }, () => Math.fround(random.normal()));

interface Figures {
  readonly recall: readonly number[];
  readonly map: number;
}

interface Gradient {
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly ofCentres: readonly number[];
}

/** Cases of a part of the script, and its answers to them. */
interface Part<Case, Found> {
  readonly cases: readonly Case[];
  readonly found: readonly Found[];
}

function searched() {
  const cases = Array.from({ length: 30 }, (_, i) => {
    const random = new RandomStream('embedding', `case ${i}`);
    const [count, width, classes] = [20 + random.below(180), 2 + random.below(40), 2 + random.below(9)];
    const labels = Array.from({ length: count }, () => random.below(classes));
    const vectors = drawn(random, count * width).map((value, at) =>
      Math.fround(value + (at % width === labels[Math.floor(at / width)]! ? 1 : 0)),
    );
    return { vectors, others: drawn(random, count * width), labels, width };
  });
  const cosines = cases.map(({ vectors, others, width }) => {
    const of = (values: readonly number[]) => ({ values: Float32Array.from(values), width });
    return Array.from(cosinesOf(of(vectors), of(others)), (value) => Math.round(20 * value));
  });
  const rounded = cases.map(
    ({ vectors, width }) =>
    VECTOR_PRECISIONS.map((precision) => Array.from(inPrecision({ values: Float32Array.from(vectors), width }, precision).values)), // prettier-ignore
  );
  return cases.map((one, i) => ({ ...one, rounded: rounded[i]!, cosines: cosines[i]! }));
}

function asked() {
  return Array.from({ length: 30 }, (_, i) => {
    const random = new RandomStream('queries', `case ${i}`);
    const [count, asked, width] = [3 + random.below(150), 1 + random.below(80), 2 + random.below(30)];
    const documents = drawn(random, count * width);
    // Every fifth document has the vector of the first.
    for (let row = 5; row < count; row += 5) documents.splice(row * width, width, ...documents.slice(0, width));
    const names = Array.from({ length: count }, (_, row) => `d${row}`).sort((a, b) => (a < b ? 1 : -1));
    const grades = Array.from({ length: asked }, () => {
      const judged = Array.from({ length: 1 + random.below(20) }, () => [
        `d${random.below(count)}`,
        random.below(6) - 2,
      ]);
      return Object.fromEntries([...judged, [`d${random.below(count)}`, 1 + random.below(3)]]) as Record<
        string,
        number
      >;
    });
    return { documents, names, queries: drawn(random, asked * width), grades, width };
  });
}

/** Losses of vectors with classes; `BATCH` samples. */
const [BATCH, WIDTH, MARGIN] = [9, 10, 0.5];
const LABELS = [0, 1, 2, 0, 1, 0, -1, 2, 2];
const LOSSES = { cosine: { alpha: 0.7 }, mse: { alpha: 1 }, similarity: { alpha: 0.5, temperature: 0.2, teacherTemperature: 0.1 }, ce: {} }; // prettier-ignore
const SIZES = [[WIDTH], [4, WIDTH], [2, 6, WIDTH]];

function learnt() {
  return SIZES.flatMap((sizes) => {
    const random = new RandomStream('embedding losses', sizes.join());
    const [student, teacher] = [drawn(random, BATCH * WIDTH), drawn(random, BATCH * WIDTH)];
    const weights = Array.from({ length: BATCH }, () => Math.fround(random.uniform() + 0.1));
    return Object.entries(LOSSES).map(([name, hyper]) => {
      const answers = { width: WIDTH, groups: sizes.length, classes: 3 };
      const loss = createLoss(name as 'cosine', { hyper, ofLabels: name === 'ce' ? { arcface: MARGIN } : {}, answers });
      const centres = Array.from(centresOf(loss)?.dataSync() ?? []);
      return { built: loss, given: { centres, margin: MARGIN, loss: name, hyper, student, teacher, labels: LABELS, weights, sizes, width: WIDTH } }; // prettier-ignore
    });
  });
}

const centresOf = ({ variables }: Loss): tf.Variable | undefined => variables['arcface/centres'];

/** Losses of pairs with similarities, of which some are equal, some unknown, and one sample has no partner. */
function compared() {
  const known = Array.from({ length: 12 }, (_, pair) => pair % 5 !== 3);
  return SIZES.flatMap((sizes) =>
    (['cosent', 'mse'] as const).map((loss) => {
      const random = new RandomStream('pair losses', sizes.join());
      const similarities = known.map(() => Math.fround((loss === 'mse' ? 0.1 : 0.5) * random.below(11)));
      return { student: drawn(random, (2 * known.length + 1) * WIDTH), similarities, known, loss, sizes, width: WIDTH };
    }),
  );
}

/** Expects a gradient within a share of its largest element. */
function expectGradient(own: tf.Tensor, wanted: readonly number[], share: number): void {
  const largest = Math.max(...wanted.map(Math.abs));
  own.dataSync().forEach((one, at) => expect(Math.abs(one - wanted[at]!)).toBeLessThan(share * largest));
}

describe('beside Python', () => {
  const [SIZE, BLOCK] = [48, 30];
  const rows = Float32Array.from(drawn(new RandomStream('parquet'), 500 * SIZE));
  let retrieval: Part<ReturnType<typeof searched>[number], { readonly figures: Figures[]; readonly cosine: number; readonly overlap: number; readonly spearman: number }>; // prettier-ignore
  let queries: Part<ReturnType<typeof asked>[number], { readonly ndcg: number; readonly recall: number }>;
  let losses: Part<ReturnType<typeof learnt>[number], Gradient>;
  let pairs: Part<ReturnType<typeof compared>[number], Gradient>;
  let parquet: object;

  beforeAll(async () => {
    await useCpu();
    const { head, block, tail } = parquetVectors(SIZE);
    const blocks = Array.from({ length: Math.ceil(rows.length / SIZE / BLOCK) }, (_, i) =>
      block(rows.subarray(i * BLOCK * SIZE, (i + 1) * BLOCK * SIZE)),
    );
    const file = concatBytes([head, ...blocks, tail(rows.length / SIZE, BLOCK)]);
    const cases = { retrieval: searched(), queries: asked(), losses: learnt(), pairs: compared() };
    const found = inPython(
      { ...cases, losses: cases.losses.map(({ given }) => given), parquet: ['vectors.parquet'] },
      { 'vectors.parquet': file },
    ) as Record<string, never[]>;
    retrieval = { cases: cases.retrieval, found: found['retrieval']! };
    queries = { cases: cases.queries, found: found['queries']! };
    losses = { cases: cases.losses, found: found['losses']! };
    pairs = { cases: cases.pairs, found: found['pairs']! };
    [parquet] = found['parquet'] as unknown as [object];
  });

  it('recall and mAP@R of vectors of each number format are those of scikit-learn, and their likenesses; correlations of ranks those of SciPy', () => {
    retrieval.cases.forEach(({ vectors, others, labels, width, rounded, cosines }, i) => {
      const { figures, cosine, overlap, spearman: correlation } = retrieval.found[i]!;
      expect(spearman(cosines, labels)).toBeCloseTo(correlation, 12);
      const of = (values: readonly number[]) => ({ values: Float32Array.from(values), width });
      VECTOR_PRECISIONS.forEach((_, p) => {
        const own = retrievalOf(of(rounded[p]!), ofClasses(labels));
        own.recall.forEach((value, k) => expect(value).toBeCloseTo(figures[p]!.recall[k]!, 9));
        expect(own.map).toBeCloseTo(figures[p]!.map, 9);
      });
      const likeness = likenessOf(of(vectors), of(others));
      expect(likeness.cosine).toBeCloseTo(cosine, 5);
      expect(likeness.overlap).toBeCloseTo(overlap, 9);
    });
  });

  it('nDCG@10 and recall@10 of queries are those of trec_eval, with equal cosines and grades below 0', () => {
    queries.cases.forEach(({ documents, names, queries: questions, grades, width }, i) => {
      const of = (values: readonly number[]) => ({ values: Float32Array.from(values), width });
      const own = gradedRetrieval(of(documents), names, of(questions), grades.map((one) => new Map(Object.entries(one)))); // prettier-ignore
      expect(own.ndcg).toBeCloseTo(queries.found[i]!.ndcg, 12);
      expect(own.recall).toBeCloseTo(queries.found[i]!.recall, 12);
    });
  });

  it('losses of vectors and gradients are those of PyTorch, with and without prefixes', () => {
    losses.cases.forEach(({ built: loss, given: { sizes, student, teacher, weights } }, i) => {
      const task = embedding({ classNames: ['a', 'b', 'c'], vector: { size: WIDTH, prefixes: sizes.slice(0, -1) } });
      const lossOf = (given: tf.Tensor): tf.Scalar => {
        const feeds: Record<string, tf.Tensor> = { teacherLogits: tf.tensor2d(teacher, [BATCH, WIDTH]) };
        for (const [key, number] of Object.entries(loss.hyper)) feeds[`hyper/${key}`] = tf.scalar(number);
        const input = {
          ...{ studentLogits: task.forLoss(given as tf.Tensor2D), targets: tf.tensor2d(LABELS, [BATCH, 1]) },
          ...{ weights: tf.tensor1d(weights), studentFeatures: {} },
        };
        return loss.compute(lossInput(loss, task, feeds, input)).loss;
      };
      const x = tf.tensor2d(student, [BATCH, WIDTH]);
      const { value, grad } = tf.valueAndGrad(lossOf)(x);
      const { loss: wanted, gradient, ofCentres } = losses.found[i]!;
      expect([loss.name, value.dataSync()[0]]).toEqual([loss.name, expect.closeTo(wanted, 4)]);
      expectGradient(grad, gradient, 1e-3);
      const centres = centresOf(loss);
      expect(ofCentres).toHaveLength(centres?.size ?? 0);
      if (centres !== undefined)
        expectGradient(tf.variableGrads(() => lossOf(x), [centres]).grads[centres.name]!, ofCentres, 1e-3);
    });
  });

  it('losses of pairs and gradients are those of CoSENTLoss and CosineSimilarityLoss of sentence-transformers', () => {
    pairs.cases.forEach(({ student, similarities, known, loss, sizes }, i) => {
      const task = sentenceSimilarity({ vector: { size: WIDTH, prefixes: sizes.slice(0, -1) } });
      const count = student.length / WIDTH;
      const targets = Array.from({ length: count }, (_, row) => [known[row >> 1] === true ? row >> 1 : -1, similarities[row >> 1] ?? 0]); // prettier-ignore
      const built = createLoss('ce', { ofLabels: task.labelNumbers({ labelSmoothing: 0, pairLoss: loss }) });
      const lossOf = (given: tf.Tensor): tf.Scalar => {
        const feeds = Object.fromEntries(Object.entries(built.hyper).map(([key, number]) => [`hyper/${key}`, tf.scalar(number)])); // prettier-ignore
        const input = {
          ...{ studentLogits: task.forLoss(given as tf.Tensor2D), targets: tf.tensor2d(targets) },
          weights: tf.tensor1d(targets.map(([pair]) => (pair! < 0 ? 0 : 1))),
          studentFeatures: {},
        };
        return built.compute(lossInput(built, task, feeds, input)).loss;
      };
      const { value, grad } = tf.valueAndGrad(lossOf)(tf.tensor2d(student, [count, WIDTH]));
      const { loss: wanted, gradient } = pairs.found[i]!;
      expect([loss, value.dataSync()[0]]).toEqual([loss, expect.closeTo(wanted, 5)]);
      expectGradient(grad, gradient, 1e-5);
    });
  });

  it('vectors of a Parquet file are read by pyarrow', () => {
    const values = Array.from({ length: rows.length / SIZE }, (_, i) => [...rows.subarray(i * SIZE, (i + 1) * SIZE)]);
    expect(parquet).toEqual({ names: ['vector'], groups: 17, values });
  });
});
