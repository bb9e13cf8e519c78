import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { concatBytes } from '../../src/base/bytes.ts';
import { spearman } from '../../src/base/math/ranks.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../../src/distill/losses/registry.ts';
import { parquetVectors } from '../../src/formats/parquet/vectors.ts';
import { gradedRetrieval } from '../../src/tasks/embedding/graded.ts';
import { inPrecision, VECTOR_PRECISIONS } from '../../src/tasks/embedding/precisions.ts';
import { cosinesOf, likenessOf, ofClasses, retrievalOf } from '../../src/tasks/embedding/retrieval.ts';
import { embedding } from '../../src/tasks/embedding/task.ts';
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

it('recall and mAP@R of vectors of each number format are those of scikit-learn, and their likenesses; correlations of ranks those of SciPy', () => {
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
  const found = inPython({
    retrieval: cases.map((one, i) => ({ ...one, rounded: rounded[i], cosines: cosines[i] })),
  }) as { readonly figures: Figures[]; readonly cosine: number; readonly overlap: number; readonly spearman: number }[];
  cases.forEach(({ vectors, others, labels, width }, i) => {
    const { figures, cosine, overlap, spearman: correlation } = found[i]!;
    expect(spearman(cosines[i]!, labels)).toBeCloseTo(correlation, 12);
    const of = (values: readonly number[]) => ({ values: Float32Array.from(values), width });
    VECTOR_PRECISIONS.forEach((_, p) => {
      const own = retrievalOf(of(rounded[i]![p]!), ofClasses(labels));
      own.recall.forEach((value, k) => expect(value).toBeCloseTo(figures[p]!.recall[k]!, 9));
      expect(own.map).toBeCloseTo(figures[p]!.map, 9);
    });
    const likeness = likenessOf(of(vectors), of(others));
    expect(likeness.cosine).toBeCloseTo(cosine, 5);
    expect(likeness.overlap).toBeCloseTo(overlap, 9);
  });
});

it('nDCG@10 and recall@10 of queries are those of trec_eval, with equal cosines and grades below 0', () => {
  const cases = Array.from({ length: 30 }, (_, i) => {
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
  const found = inPython({ queries: cases }) as { readonly ndcg: number; readonly recall: number }[];
  cases.forEach(({ documents, names, queries, grades, width }, i) => {
    const of = (values: readonly number[]) => ({ values: Float32Array.from(values), width });
    const own = gradedRetrieval(of(documents), names, of(queries), grades.map((one) => new Map(Object.entries(one)))); // prettier-ignore
    expect(own.ndcg).toBeCloseTo(found[i]!.ndcg, 12);
    expect(own.recall).toBeCloseTo(found[i]!.recall, 12);
  });
});

describe('losses and gradients are those of PyTorch', () => {
  beforeAll(useCpu);

  it.each([[[]], [[4]], [[2, 6]]])('with the prefixes %j', (prefixes) => {
    const [BATCH, WIDTH, MARGIN] = [9, 10, 0.5];
    const random = new RandomStream('embedding losses', prefixes.join());
    const task = embedding({ classNames: ['a', 'b', 'c'], vector: { size: WIDTH, prefixes } });
    const student = drawn(random, BATCH * WIDTH);
    const teacher = drawn(random, BATCH * WIDTH);
    const labels = [0, 1, 2, 0, 1, 0, -1, 2, 2];
    const weights = Array.from({ length: BATCH }, () => Math.fround(random.uniform() + 0.1));
    const losses = { cosine: { alpha: 0.7 }, mse: { alpha: 1 }, similarity: { alpha: 0.5, temperature: 0.2, teacherTemperature: 0.1 }, ce: {} }; // prettier-ignore
    const built = Object.entries(losses).map(([name, hyper]) => {
      const answers = { width: WIDTH, groups: prefixes.length + 1, classes: 3 };
      return createLoss(name as 'cosine', { hyper, ofLabels: name === 'ce' ? { arcface: MARGIN } : {}, answers });
    });
    const centresOf = ({ variables }: Loss): tf.Variable | undefined => variables['arcface/centres'];
    const expected = inPython({
      losses: Object.entries(losses).map(([loss, hyper], i) => ({
        ...{ centres: Array.from(centresOf(built[i]!)?.dataSync() ?? []), margin: MARGIN },
        ...{ loss, hyper, student, teacher, labels, weights, sizes: [...prefixes, WIDTH], width: WIDTH },
      })),
    }) as { loss: number; gradient: number[]; ofCentres: number[] }[];
    built.forEach((loss, i) => {
      const { name } = loss;
      const lossOf = (rows: tf.Tensor): tf.Scalar => {
        const feeds: Record<string, tf.Tensor> = { teacherLogits: tf.tensor2d(teacher, [BATCH, WIDTH]) };
        for (const [key, number] of Object.entries(loss.hyper)) feeds[`hyper/${key}`] = tf.scalar(number);
        const given = {
          ...{ studentLogits: task.forLoss(rows as tf.Tensor2D), targets: tf.tensor2d(labels, [BATCH, 1]) },
          ...{ weights: tf.tensor1d(weights), studentFeatures: {} },
        };
        return loss.compute(lossInput(loss, task, feeds, given)).loss;
      };
      const x = tf.tensor2d(student, [BATCH, WIDTH]);
      const { value, grad } = tf.valueAndGrad(lossOf)(x);
      const { loss: wanted, gradient, ofCentres } = expected[i]!;
      expect([name, value.dataSync()[0]]).toEqual([name, expect.closeTo(wanted, 4)]);
      const largest = Math.max(...gradient.map(Math.abs));
      grad.dataSync().forEach((one, at) => expect(Math.abs(one - gradient[at]!)).toBeLessThan(1e-3 * largest));
      const centres = centresOf(loss);
      expect(ofCentres).toHaveLength(centres?.size ?? 0);
      if (centres === undefined) return;
      const own = tf.variableGrads(() => lossOf(x), [centres]).grads[centres.name]!;
      const most = Math.max(...ofCentres.map(Math.abs));
      own.dataSync().forEach((one, at) => expect(Math.abs(one - ofCentres[at]!)).toBeLessThan(1e-3 * most));
    });
  });
});

it('pyarrow reads the vectors of a Parquet file', () => {
  const [count, size, block] = [500, 48, 30];
  const rows = Float32Array.from(drawn(new RandomStream('parquet'), count * size));
  const { head, block: blockOf, tail } = parquetVectors(size);
  const blocks = Array.from({ length: Math.ceil(count / block) }, (_, i) =>
    blockOf(rows.subarray(i * block * size, (i + 1) * block * size)),
  );
  const file = concatBytes([head, ...blocks, tail(count, block)]);
  const { parquet } = inPython({ parquet: 'vectors.parquet' }, { 'vectors.parquet': file }) as { parquet: object };
  expect(parquet).toEqual({ names: ['vector'], groups: 17, values: Array.from({ length: count }, (_, i) => [...rows.subarray(i * size, (i + 1) * size)]) }); // prettier-ignore
});
