import { cosinesOf, unitVectors, vectorCount } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import * as tf from '@tensorflow/tfjs-core';
import { percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { unitRows } from '../../trace/ops/unit-rows.ts';
import { isAboveZero, PROBABLY } from '../../tasks/columns.ts';
import { fieldValues, joinedValues, oneField } from '../../tasks/fields.ts';
import { numberFeeds } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Task, TaskData } from '../../tasks/task.ts';
import { batchDivergence, supervisedContrast } from './contrast.ts';
import { describeVectors, queriesOf } from './figures.ts';
import { largestSeveral } from '../../base/largest.ts';
import { eachQuery } from './neighbours.ts';
import { hitsOf, likenessOf, NEIGHBOURS, ofClasses, ofNeighbours } from './retrieval.ts';
import type { Relevance } from './retrieval.ts';

/** Neighbours that are named in the text of an answer. */
const NAMED = 3;

/**
 * A vector of length 1 for each sample, by which alike samples are found. Targets are classes, or, for data without labels, the vectors of a teacher,
 * whose nearest samples count as alike. Losses compare vectors, and with `prefixes` shorter vectors too, each of length 1 (Kusupati et al. 2022,
 * "Matryoshka representation learning").
 */
export function embedding({ classNames: names, vector }: Pick<TaskData, 'classNames' | 'vector'>): Task {
  const { size: width, prefixes } = vector!;
  const hasClasses = names.length > 0;
  const targetWidth = hasClasses ? 1 : width;
  const groups = prefixes.length + 1;
  const kept = [
    { name: 'vector', shape: [width] },
    { name: 'target', shape: [targetWidth] },
  ];
  const vectorsOf = (values: ArrayLike<number>): Vectors => ({ values: values as Float32Array, width });
  const relevanceOf = (targets: TargetValues): Relevance =>
    hasClasses ? ofClasses(targets) : ofNeighbours(vectorsOf(targets));
  const knownHits = (answers: Float32Array, targets: TargetValues): number[] =>
    Array.from(hitsOf(vectorsOf(answers), relevanceOf(targets))).filter((hit) => hit >= 0);
  const scoreOf = (answers: Float32Array, targets: TargetValues): number => {
    const hits = knownHits(answers, targets);
    return hits.length === 0 ? 0 : hits.reduce((sum, hit) => sum + hit, 0) / hits.length;
  };
  const ignorance = (targets: TargetValues): number => {
    const count = targets.length / targetWidth;
    if (count < 2) return 0;
    if (!hasClasses) return Math.min(1, NEIGHBOURS / (count - 1));
    const { count: relevant } = ofClasses(targets);
    const counts = Array.from({ length: count }, (_, row) => relevant(row)).filter((others) => others > 0);
    return counts.reduce((sum, others) => sum + others / (count - 1) / counts.length, 0);
  };
  const nameOf = (targets: TargetValues, row: number): string =>
    hasClasses ? (names[targets[row]!] ?? 'unknown') : `sample ${row}`;
  return {
    name: 'embedding',
    names: [],
    fields: oneField([width]),
    width,
    targetWidth,
    score: scoreOfTask('embedding'),
    answers: 'values',
    isUnit: true,
    lossName: hasClasses ? 'contrast' : 'labels',
    ...(hasClasses && { acrossBatch: true as const, labelClasses: names.length }),
    labelNumbers: ({ arcface }) => (arcface === undefined ? {} : { arcface }),
    feeds: (batchSize) => numberFeeds(batchSize, targetWidth, 'none'),
    fed: (targets) => ({ targets: Float32Array.from(targets) }),
    targets: (feeds) => {
      const targets = feeds['targets'] as tf.Tensor2D;
      return hasClasses ? targets : unitRows(targets);
    },
    mixedValues: () => {
      throw new Error('vectors are not mixed');
    },
    forLoss: unitRows,
    ...(groups > 1 && { rows: rowsOfPrefixes([...prefixes, width]) }),
    loss: (outputs, targets) =>
      hasClasses ? supervisedContrast(outputs, targets, groups) : tf.sub(1, tf.sum(tf.mul(outputs, targets), -1)),
    divergence: (teacher, student, temperature) => batchDivergence(teacher, student, temperature, groups),
    sums: () => ({}),
    scoreOfSums: () => undefined,
    collects: {
      width: width + targetWidth,
      of: (answers, targets) =>
        joinedValues({ vector: answers, target: Float32Array.from(targets) }, kept, targets.length / targetWidth),
      scoreOf: (collected) => scoreOf(fieldValues(collected, kept, 'vector'), fieldValues(collected, kept, 'target')),
    },
    scoreOf,
    describe: (answers, targets) => ({
      vectors: describeVectors(vectorsOf(answers), [...prefixes, width], (queries) =>
        hasClasses ? ofClasses(targets) : ofNeighbours(vectorsOf(targets), queries),
      ),
    }),
    beside: (answers, teacher) => ({
      likeness: likenessOf(vectorsOf(answers), vectorsOf(teacher), queriesOf(answers.length / width)),
    }),
    textOf: (answers, row, targets) => {
      const all = unitVectors(vectorsOf(answers));
      let text = '';
      const visit = (_: number, products: Float32Array): void => {
        const nearest = largestSeveral(products, Math.min(NAMED, products.length - 1));
        text = Array.from(nearest, (one) => `${nameOf(targets, one)} (${products[one]!.toFixed(2)})`).join(', ');
      };
      eachQuery(all, visit, [row]);
      return text;
    },
    labelText: nameOf,
    disagreement: (answers, others) => cosinesOf(vectorsOf(answers), vectorsOf(others)).map((cosine) => 1 - cosine),
    asTargets: (answers) =>
      hasClasses ? new Float32Array(answers.length / width).fill(-1) : unitVectors(vectorsOf(answers)).values,
    ignorance,
    isWorse: (answers, than, targets) => {
      const own = knownHits(answers, targets);
      return isAboveZero(knownHits(than, targets).map((hit, i) => hit - own[i]!));
    },
    skill: (answers, targets) => {
      const chance = ignorance(targets);
      const hits = knownHits(answers, targets);
      return {
        score: scoreOf(answers, targets),
        isBetter: isAboveZero(hits.map((hit) => hit - chance)),
        chance: `samples in any order give ${percent(chance, 1)}`,
      };
    },
    stuck: (name, answers, _truth, why = PROBABLY) =>
      areNearlyEqual(vectorsOf(answers))
        ? `${name}: gives nearly the same vector to all of ${answers.length / width} samples; ${why}`
        : undefined,
  };
}

/** Rows of each size of a vector, all samples of one size after those of another: prefixes of length 1, filled up with zeros. */
function rowsOfPrefixes(sizes: readonly number[]): NonNullable<Task['rows']> {
  const prefixesOf = (values: tf.Tensor2D): tf.Tensor2D => {
    const [, width] = values.shape;
    // Classes are no vectors: the same for each size.
    if (width === 1) return tf.concat(sizes.map(() => values));
    const parts = sizes.map((size) => {
      const prefix = unitRows(tf.slice(values, [0, 0], [-1, size]));
      return size === width
        ? prefix
        : tf.pad(prefix, [
            [0, 0],
            [0, width - size],
          ]);
    });
    return tf.concat(parts);
  };
  return {
    of: prefixesOf,
    groups: sizes.length,
    weights: (samples) => tf.div(tf.concat(sizes.map(() => samples)), sizes.length),
  };
}

/** Share of the length 1 that the mean of equal vectors has. */
const EQUAL = 0.9999;

function areNearlyEqual(vectors: Vectors): boolean {
  const count = vectorCount(vectors);
  if (count < 10) return false;
  const { values, width } = unitVectors(vectors);
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width]! += values[i]! / count;
  return Math.hypot(...mean) > EQUAL;
}
