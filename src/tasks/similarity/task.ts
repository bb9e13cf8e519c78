import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { ranksOf, spearman } from '../../base/math/ranks.ts';
import { mean } from '../../base/math/statistics.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { isAboveZero } from '../columns.ts';
import { vectorsBy } from '../embedding/figures.ts';
import type { Vectors } from '../embedding/neighbours.ts';
import { unitVectors, vectorCount } from '../embedding/neighbours.ts';
import { cosinesOf } from '../embedding/retrieval.ts';
import { embedding } from '../embedding/task.ts';
import { fieldValues, joinedValues } from '../fields.ts';
import { spearmanScore } from '../score.ts';
import { numberFeeds } from '../targets.ts';
import type { Task, TaskData } from '../task.ts';
import { cosent, squaredCosine } from './loss.ts';

/** Number and similarity of the pair that a sample belongs to; the number is below 0 for a sample of a pair without a similarity. */
const TARGET = 2;

/** Pairs whose two samples are there: cosines of their vectors, and similarities. */
interface KnownPairs {
  readonly cosines: Float32Array;
  readonly similarities: readonly number[];
}

/**
 * A vector of length 1 for each text, by whose cosine pairs of texts are compared with similarities that people gave. The score is Spearman's correlation
 * (Reimers, Beyer and Gurevych 2016, "Task-oriented intrinsic evaluation of semantic textual similarity"). What concerns vectors alone is that of embeddings.
 */
export function sentenceSimilarity({ vector }: Pick<TaskData, 'vector'>): Task {
  const base = embedding({ classNames: [], vector });
  const { size: width, prefixes, largest = 0 } = vector!;
  const groups = prefixes.length + 1;
  const kept = [
    { name: 'vector', shape: [width] },
    { name: 'target', shape: [TARGET] },
  ];
  const vectorsOf = (values: Float32Array): Vectors => ({ values, width });
  const scoreOf = (answers: Float32Array, targets: TargetValues): number =>
    correlation(pairsOf(vectorsOf(answers), targets));
  const products = (answers: Float32Array, targets: TargetValues): number[] =>
    rankProducts(pairsOf(vectorsOf(answers), targets));
  return {
    ...base,
    ...{ name: 'sentence-similarity', targetWidth: TARGET, score: spearmanScore, lossName: 'pairs', acrossBatch: true },
    labelNumbers: ({ pairLoss }) => {
      if (pairLoss !== 'mse') return {};
      if (largest <= 1) return { squared: 1 };
      throw new UserError(
        `pairLoss: mse: expected similarities from -1 to 1, as cosines are, received ${largest}`,
        'Divide them by the largest one in the files, or leave pairLoss out: cosent reads their order alone.',
      );
    },
    feeds: (batchSize) => numberFeeds(batchSize, TARGET, 'none'),
    targets: (feeds) => feeds['targets'] as tf.Tensor2D,
    ...(base.rows && {
      rows: { ...base.rows, targets: (targets) => tf.tile(targets, [groups, 1]) },
    }),
    loss: (outputs, targets, { squared }) => (squared === undefined ? cosent : squaredCosine)(outputs, targets, groups),
    collects: {
      width: width + TARGET,
      of: (answers, targets) =>
        joinedValues({ vector: answers, target: Float32Array.from(targets) }, kept, targets.length / TARGET),
      scoreOf: (collected) => scoreOf(fieldValues(collected, kept, 'vector'), fieldValues(collected, kept, 'target')),
    },
    scoreOf,
    describe: (answers, targets) => ({
      vectors: {
        samples: answers.length / width,
        queries: pairsOf(vectorsOf(answers), targets).similarities.length,
        rows: vectorsBy(vectorsOf(answers), [...prefixes, width], (vectors) => ({
          spearman: correlation(pairsOf(vectors, targets)),
        })),
      },
    }),
    textOf: (answers, row, targets) => {
      const other = partnerOf(targets, row);
      if (other === undefined) return 'no partner';
      const [cosine] = cosinesOf(rowOf(vectorsOf(answers), row), rowOf(vectorsOf(answers), other));
      return `cosine ${cosine!.toFixed(2)}`;
    },
    labelText: (targets, row) =>
      targets[row * TARGET]! < 0 ? 'unknown' : `similarity ${targets[row * TARGET + 1]!.toString()}`,
    asTargets: (answers) => {
      const { values } = unitVectors(vectorsOf(answers));
      const first = { values: evenRows(values, width, 0), width };
      const cosines = cosinesOf(first, { values: evenRows(values, width, 1), width });
      const rows = answers.length / width;
      return Float32Array.from({ length: rows * TARGET }, (_, i) => {
        const pair = Math.floor(i / TARGET / 2);
        return pair === cosines.length ? -1 : i % TARGET === 0 ? pair : cosines[pair]!;
      });
    },
    ignorance: () => 0,
    isWorse: (answers, than, targets) => {
      const own = products(answers, targets);
      return isAboveZero(products(than, targets).map((product, i) => product - own[i]!));
    },
    skill: (answers, targets) => ({
      score: scoreOf(answers, targets),
      isBetter: isAboveZero(products(answers, targets)),
      chance: 'cosines in any order give 0 %',
    }),
  };
}

/** Rows 0, 2, 4, … or 1, 3, 5, … of [rows, width] of the whole pairs. */
function evenRows(values: Float32Array, width: number, first: 0 | 1): Float32Array {
  const pairs = Math.floor(values.length / width / 2);
  return Float32Array.from(
    { length: pairs * width },
    (_, i) => values[(2 * Math.floor(i / width) + first) * width + (i % width)]!,
  );
}

function rowOf({ values, width }: Vectors, row: number): Vectors {
  return { values: values.subarray(row * width, (row + 1) * width), width };
}

function partnerOf(targets: TargetValues, row: number): number | undefined {
  const pair = targets[row * TARGET]!;
  const found = Array.from({ length: targets.length / TARGET }, (_, other) => other).find(
    (other) => other !== row && targets[other * TARGET] === pair,
  );
  return pair < 0 ? undefined : found;
}

/** The pairs of which both samples are there, in the order of their first sample. */
export function pairsOf(vectors: Vectors, targets: TargetValues): KnownPairs {
  const open = new Map<number, number>();
  const pairs: [number, number][] = [];
  for (let row = 0; row < vectorCount(vectors); row++) {
    const pair = targets[row * TARGET]!;
    const first = open.get(pair);
    if (first === undefined) open.set(pair, row);
    else if (pair >= 0) pairs.push([first, row]);
  }
  const { values, width } = vectors;
  const [first, second] = ([0, 1] as const).map((side) => {
    const rows = new Float32Array(pairs.length * width);
    pairs.forEach((pair, i) => rows.set(values.subarray(pair[side] * width, (pair[side] + 1) * width), i * width));
    return { values: rows, width };
  }) as [Vectors, Vectors];
  return {
    cosines: cosinesOf(first, second),
    similarities: pairs.map(([row]) => targets[row * TARGET + 1]!),
  };
}

/** Spearman's correlation; 0 for cosines or similarities that are all the same. */
function correlation({ cosines, similarities }: KnownPairs): number {
  return spearman(cosines, similarities) ?? 0;
}

/** Products of the standardized ranks of each pair, whose mean is Spearman's correlation. */
function rankProducts({ cosines, similarities }: KnownPairs): number[] {
  const [own, other] = [cosines, similarities].map((values) => {
    const ranks = Array.from(ranksOf(values));
    const middle = (ranks.length + 1) / 2;
    const deviation = Math.sqrt(mean(ranks.map((rank) => (rank - middle) ** 2)));
    return ranks.map((rank) => (deviation === 0 ? 0 : (rank - middle) / deviation));
  }) as [number[], number[]];
  return own.map((value, i) => value * other[i]!);
}
