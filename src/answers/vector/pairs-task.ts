import { cosinesOf, unitVectors } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { ranksOf, spearman } from '../../base/math/ranks.ts';
import { mean } from '../../base/math/statistics.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { isAboveZero } from '../../tasks/columns.ts';
import { vectorsBy } from './figures.ts';
import { PAIR_TARGET, pairsOf } from './pairs.ts';
import type { KnownPairs } from './pairs.ts';
import { embedding } from './task.ts';
import { fieldValues, joinedValues } from '../../tasks/fields.ts';
import { numberFeeds } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Task, TaskData } from '../../tasks/task.ts';
import { cosent, squaredCosine } from './pairs-loss.ts';

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
    { name: 'target', shape: [PAIR_TARGET] },
  ];
  const vectorsOf = (values: Float32Array): Vectors => ({ values, width });
  const scoreOf = (answers: Float32Array, targets: TargetValues): number =>
    correlation(pairsOf(vectorsOf(answers), targets));
  const products = (answers: Float32Array, targets: TargetValues): number[] =>
    rankProducts(pairsOf(vectorsOf(answers), targets));
  return {
    ...base,
    name: 'sentence-similarity',
    targetWidth: PAIR_TARGET,
    score: scoreOfTask('sentence-similarity'),
    lossName: 'pairs',
    acrossBatch: true,
    labelNumbers: ({ pairLoss }) => {
      if (pairLoss !== 'mse') return {};
      if (largest <= 1) return { squared: 1 };
      throw new UserError(
        `pairLoss: mse: expected similarities from -1 to 1, as cosines are, received ${largest}`,
        'Divide them by the largest one in the files, or leave pairLoss out: cosent reads their order alone.',
      );
    },
    feeds: (batchSize) => numberFeeds(batchSize, PAIR_TARGET, 'none'),
    targets: (feeds) => feeds['targets'] as tf.Tensor2D,
    ...(base.rows && {
      rows: { ...base.rows, targets: (targets) => tf.tile(targets, [groups, 1]) },
    }),
    loss: (outputs, targets, { squared }) => (squared === undefined ? cosent : squaredCosine)(outputs, targets, groups),
    collects: {
      width: width + PAIR_TARGET,
      of: (answers, targets) =>
        joinedValues({ vector: answers, target: Float32Array.from(targets) }, kept, targets.length / PAIR_TARGET),
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
      targets[row * PAIR_TARGET]! < 0 ? 'unknown' : `similarity ${targets[row * PAIR_TARGET + 1]!.toString()}`,
    asTargets: (answers) => {
      const { values } = unitVectors(vectorsOf(answers));
      const first = { values: evenRows(values, width, 0), width };
      const cosines = cosinesOf(first, { values: evenRows(values, width, 1), width });
      const rows = answers.length / width;
      return Float32Array.from({ length: rows * PAIR_TARGET }, (_, i) => {
        const pair = Math.floor(i / PAIR_TARGET / 2);
        return pair === cosines.length ? -1 : i % PAIR_TARGET === 0 ? pair : cosines[pair]!;
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
  const pair = targets[row * PAIR_TARGET]!;
  const found = Array.from({ length: targets.length / PAIR_TARGET }, (_, other) => other).find(
    (other) => other !== row && targets[other * PAIR_TARGET] === pair,
  );
  return pair < 0 ? undefined : found;
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
