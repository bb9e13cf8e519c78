import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { argMax, percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { NO_TAG } from './labels.ts';
import { crossEntropy, softenedDivergence } from '../classes/task.ts';
import { hits, isWorse, surest } from '../../tasks/classification/classes.ts';
import { isAboveZero } from '../../tasks/columns.ts';
import { bordersOf, countsByType, entitiesOf, f1OfCounts, markEntities, tagsAt, total } from './entities.ts';
import type { Counts } from './entities.ts';
import { entitySums } from './entity-sums.ts';
import { oneClassWarning } from '../../tasks/classification/one-class.ts';
import { oneField } from '../../tasks/fields.ts';
import { asGiven } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import type { Task } from '../../tasks/task.ts';

/**
 * A tag for each word, by softmax over the tags at the word's first token. Answers are [batch, length · tags], targets [batch, length], `NO_TAG` for
 * a token without a tag.
 */
export function tagging(names: readonly string[], length: number): Task {
  const tags = names.length;
  const width = length * tags;
  const borders = bordersOf(names);
  const asTable = (values: tf.Tensor): tf.Tensor3D => tf.reshape<tf.Rank.R3>(values, [-1, length, tags]);
  const asMask = (targets: tf.Tensor): tf.Tensor2D => tf.sum(asTable(targets), -1);
  const sentences = (answers: Float32Array, targets: TargetValues): Sentence[] =>
    sentencesOf(answers, targets, { length, tags });
  const countsOf = (all: readonly Sentence[]) => countsByType(all, borders);
  const scoreOf = (all: readonly Sentence[]): number => f1OfCounts(total(countsOf(all).values()));
  const flat = (all: readonly Sentence[], key: 'truth' | 'given'): Int32Array =>
    Int32Array.from(all.flatMap((one) => one[key]));
  return {
    name: 'tagging',
    names,
    fields: oneField([length, tags]),
    width,
    targetWidth: length,
    score: scoreOfTask('tagging'),
    answers: 'logits',
    lossName: 'ce',
    labelNumbers: () => ({}),
    weightOf: (targets) =>
      Float32Array.from({ length: targets.length / length }, (_, row) => tokensOf(targets, row, length).length),
    feeds: (batchSize, mix) => {
      refuseMix(mix !== 'none');
      return { labels: { dtype: 'int32', shape: [batchSize, length] } };
    },
    fed: (targets, where, mix) => {
      refuseMix(mix !== undefined);
      checkTags(targets, tags, length, where);
      return { labels: targets };
    },
    // All zero for a token without a tag.
    targets: (feeds) =>
      tf.reshape<tf.Rank.R2>(tf.oneHot(feeds['labels'] as tf.Tensor2D, tags, 1, 0, 'float32'), [-1, width]),
    mixedValues: () => {
      throw new Error(UNMIXED);
    },
    forLoss: asGiven,
    // A row is a token: a sample's weight is proportional to its words, so that all words have equal weight.
    rows: {
      of: (values) => tf.reshape<tf.Rank.R2>(values, [-1, tags]),
      weights: (samples, targets) => {
        const mask = asMask(targets);
        const each = tf.div(samples, tf.maximum(tf.sum(mask, -1), 1));
        return tf.reshape<tf.Rank.R1>(tf.mul(mask, tf.expandDims(each, 1)), [-1]);
      },
    },
    loss: (logits, targets) => crossEntropy(logits, targets, {}),
    divergence: softenedDivergence,
    sums: (logits, targets, weights) => {
      // Padding samples have weight 0; entities of all others count fully, whatever their weight.
      const isThere = tf.cast(tf.greater(weights, 0), 'float32');
      const mask = tf.mul<tf.Tensor2D>(asMask(targets), tf.expandDims(isThere, 1));
      const predicted = tf.oneHot(tf.argMax(asTable(logits), -1), tags, 1, 0, 'float32') as tf.Tensor3D;
      return entitySums(predicted, asTable(targets), mask, borders);
    },
    scoreOfSums: (sums) => f1OfCounts(sums as unknown as Counts),
    scoreOf: (answers, targets) => scoreOf(sentences(answers, targets)),
    describe: (answers, targets) => {
      const all = sentences(answers, targets);
      const byType = countsOf(all);
      const right = hits(flat(all, 'given'), flat(all, 'truth')).filter(Boolean).length;
      const words = all.reduce((sum, { truth }) => sum + truth.length, 0);
      return {
        entities: {
          words,
          rightWords: right / Math.max(1, words),
          ...sharesOf(total(byType.values())),
          rows: [...byType].map(([name, counts]) => ({ name, ...counts, ...sharesOf(counts), f1: f1OrNull(counts) })),
        },
      };
    },
    beside: (answers, teacher, targets) => ({ distance: distanceOf(answers, teacher, targets, tags) }),
    textOf: (answers, row, targets) => {
      const given = givenOf(answers, targets, row, { length, tags });
      return listed(given, names);
    },
    labelText: (targets, row) =>
      listed(
        tokensOf(targets, row, length).map((at) => targets[at]!),
        names,
      ),
    entities: {
      given: (answers, row, targets) => entitiesOf(givenOf(answers, targets, row, { length, tags }), borders),
      there: (targets, row) =>
        entitiesOf(
          tokensOf(targets, row, length).map((at) => targets[at]!),
          borders,
        ),
    },
    disagreement: (answers, others, targets) =>
      Float32Array.from({ length: targets.length / length }, (_, row) => {
        let most = 0;
        for (const at of tokensOf(targets, row, length)) {
          const [own, its] = [surest(answers, at * tags, tags), surest(others, at * tags, tags)];
          if (own.best !== its.best) most = Math.max(most, Math.min(own.probability, its.probability));
        }
        return most;
      }),
    asTargets: () => {
      throw new Error('tags are never made of answers: which tokens have one, only labels say');
    },
    ignorance: (targets) => {
      const known = tagsIn(targets);
      const most = mostFrequent(known, tags);
      const all = Int32Array.from(targets, (tag) => (tag === NO_TAG ? NO_TAG : most));
      return scoreOf(sentencesOfTags(all, targets, length));
    },
    isWorse: (answers, than, targets) => {
      const [own, its] = [sentences(answers, targets), sentences(than, targets)];
      const truth = flat(own, 'truth');
      return isWorse(hits(flat(own, 'given'), truth), hits(flat(its, 'given'), truth));
    },
    skill: (answers, targets) => {
      const all = sentences(answers, targets);
      return areProbabilities(answers, tags)
        ? {
            score: scoreOf(all),
            isBetter: false,
            chance: 'its answers are probabilities, which sum to 1 at each token, and not logits',
          }
        : { score: scoreOf(all), ...besideOthers(all, countsOf) };
    },
    stuck: (name, answers, truth, why) => {
      // Without targets it is unknown which tokens have a tag.
      if (!(truth instanceof Int32Array)) return undefined;
      const all = sentences(answers, truth);
      return oneClassWarning(name, flat(all, 'given'), flat(all, 'truth'), names, why);
    },
  };
}

interface Size {
  readonly length: number;
  readonly tags: number;
}

interface Sentence {
  readonly truth: readonly number[];
  readonly given: readonly number[];
}

/** Positions of the tokens of a row that have a tag. */
function tokensOf(targets: TargetValues, row: number, length: number): number[] {
  const found: number[] = [];
  for (let at = row * length; at < (row + 1) * length; at++) if (targets[at] !== NO_TAG) found.push(at);
  return found;
}

function givenOf(answers: Float32Array, targets: TargetValues, row: number, { length, tags }: Size): number[] {
  return tagsAt(answers, tokensOf(targets, row, length), tags);
}

function sentencesOf(answers: Float32Array, targets: TargetValues, size: Size): Sentence[] {
  return Array.from({ length: targets.length / size.length }, (_, row) => ({
    truth: tokensOf(targets, row, size.length).map((at) => targets[at]!),
    given: givenOf(answers, targets, row, size),
  }));
}

function sentencesOfTags(given: Int32Array, targets: TargetValues, length: number): Sentence[] {
  return Array.from({ length: targets.length / length }, (_, row) => {
    const tokens = tokensOf(targets, row, length);
    return { truth: tokens.map((at) => targets[at]!), given: tokens.map((at) => given[at]!) };
  });
}

function tagsIn(targets: TargetValues): Int32Array {
  return Int32Array.from(targets).filter((tag) => tag !== NO_TAG);
}

function mostFrequent(values: Int32Array, tags: number): number {
  const counts = new Float32Array(tags);
  for (const value of values) counts[value]!++;
  return argMax(counts, 0, tags);
}

/** Tags as text: entities with their number of words, `PER (2), LOC`; plain tags in sequence. */
function listed(given: readonly number[], names: readonly string[]): string {
  if (!markEntities(names)) return given.map((tag) => names[tag]!).join(' ');
  const found = entitiesOf(given, bordersOf(names));
  return (
    found.map(({ type, from, to }) => (to > from ? `${type} (${to - from + 1} words)` : type)).join(', ') || 'none'
  );
}

function sharesOf({ there, given, right }: Counts): { precision: number | null; recall: number | null } {
  return { precision: given === 0 ? null : right / given, recall: there === 0 ? null : right / there };
}

function f1OrNull(counts: Counts): number | null {
  return counts.there + counts.given === 0 ? null : f1OfCounts(counts);
}

/** Root mean squared difference of the logits at the tokens that have a tag. */
function distanceOf(answers: Float32Array, teacher: Float32Array, targets: TargetValues, tags: number): number {
  let [sum, count] = [0, 0];
  targets.forEach((tag, at) => {
    if (tag === NO_TAG) return;
    for (let i = at * tags; i < (at + 1) * tags; i++) sum += (answers[i]! - teacher[i]!) ** 2;
    count += tags;
  });
  return Math.sqrt(sum / Math.max(1, count));
}

/** Skill relative to the same answers assigned to other sentences, whose right entities are right by chance. */
function besideOthers(all: readonly Sentence[], countsOf: (all: readonly Sentence[]) => Map<string, Counts>) {
  const shuffled = all.map(({ truth }, i): Sentence => {
    const { given } = all[(i + 1) % all.length]!;
    return { truth: truth.slice(0, given.length), given: given.slice(0, truth.length) };
  });
  const rightOf = (one: Sentence): number => total(countsOf([one]).values()).right;
  const others = shuffled.map(rightOf);
  const chance = f1OfCounts({ ...total(countsOf(all).values()), right: others.reduce((sum, right) => sum + right, 0) });
  return {
    isBetter: isAboveZero(all.map((one, i) => rightOf(one) - others[i]!)),
    chance: `the same answers to other sentences have an F1 of ${percent(chance, 1)}`,
  };
}

function areProbabilities(answers: Float32Array, tags: number): boolean {
  for (let from = 0; from < answers.length; from += tags) {
    const row = answers.subarray(from, from + tags);
    const sum = row.reduce((all, value) => all + value, 0);
    if (Math.abs(sum - 1) > 1e-3 || row.some((value) => value < -1e-6)) return false;
  }
  return answers.length > 0;
}

const UNMIXED = 'samples with a tag for each word are not mixed';

function refuseMix(isMixed: boolean): void {
  if (isMixed) throw new Error(UNMIXED);
}

function checkTags(targets: TargetValues, tags: number, length: number, where: string): void {
  const bad = targets.findIndex((tag) => tag !== NO_TAG && !(tag >= 0 && tag < tags));
  if (bad === -1) return;
  throw new UserError(
    `${where}: token ${bad % length} of sample ${Math.floor(bad / length)} has the tag ${shown(targets[bad])}, and the model has the tags 0 … ${tags - 1}`,
    'Check the tags of the data set.',
  );
}

export const tasks: Tasks = { tagging: ({ classNames, text }) => tagging(classNames, text!.length) };
