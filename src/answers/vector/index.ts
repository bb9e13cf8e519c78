import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow, TaskRow } from '../../recipe/answer-forms.ts';
import type { LossName } from '../../recipe/schema/loss.ts';
import { classVectorKeys, pairsKeys, vectorKeys } from './recipe.ts';

/** Losses that compare vectors: with the vector of the teacher, or the likenesses between samples. */
const LOSSES: readonly LossName[] = ['cosine', 'mse', 'similarity', 'hint', 'rkd', 'sp'];

/** Properties of every task whose answers are vectors. */
const OF_VECTORS = {
  isEmptyKnown: false,
  answersPer: 'sample',
  losses: LOSSES,
  loss: 'cosine',
  store: 'fp32',
  mixes: [],
  hasChosenWidth: true,
  isHeadless: true,
  sharesTokens: true,
  beginsData: ['# dimensions: 128 # numbers of a vector; a teacher with more is projected'],
} as const satisfies Partial<TaskRow>;

/** A vector to search with. */
export const vectorAnswers: AnswerRow = {
  name: 'vector',
  words: ['number', 'numbers'],
  answersText: (count) => (count === 0 ? 'a vector' : `a vector, compared by ${count} classes`),
  told: { key: 'vector', isNameless: true },
  tasks: {
    embedding: {
      ...OF_VECTORS,
      hasClasses: true,
      hasNames: true,
      // Share of samples whose nearest other sample is of the same class; without classes, whose nearest is one of the ten nearest by the vectors that
      // stand in for labels.
      score: { name: 'recall@1', unit: 'fraction' },
      labelsCompare: 'the contrast of labelled samples',
      begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.9 ${BEGINS.alpha}`],
    },
    'sentence-similarity': {
      ...OF_VECTORS,
      hasClasses: false,
      hasNames: false,
      // Correlation of the cosines of pairs with their similarities, from -1 to 1.
      score: { name: 'Spearman', unit: 'fraction', bounds: [-1, 1] },
      isOfPairs: true,
      labelsCompare: 'the similarities of pairs',
      begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.95 ${BEGINS.alpha}`],
    },
  },
  keys: [vectorKeys, classVectorKeys, pairsKeys],
};
