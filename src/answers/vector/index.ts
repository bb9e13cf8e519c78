import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import type { LossName } from '../../recipe/schema/loss.ts';
import { classVectorKeys, pairsKeys, vectorKeys } from './recipe.ts';

/** Losses that compare vectors: with the vector of the teacher, or the likenesses between samples. */
const LOSSES: readonly LossName[] = ['cosine', 'mse', 'similarity', 'hint', 'rkd', 'sp'];

/** A vector to search with. */
export const vectorAnswers: AnswerRow = {
  name: 'vector',
  words: ['number', 'numbers'],
  answersText: (count) => (count === 0 ? 'a vector' : `a vector, compared by ${count} classes`),
  told: { key: 'vector', isNameless: true },
  tasks: {
    embedding: {
      hasClasses: true,
      hasNames: true,
      isEmptyKnown: false,
      answersPer: 'sample',
      losses: LOSSES,
      loss: 'cosine',
      store: 'fp32',
      // Share of samples whose nearest other sample is of the same class; without classes, whose nearest is one of the ten nearest by the vectors that
      // stand in for labels.
      score: { name: 'recall@1', unit: 'fraction' },
      mixes: [],
      begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.9 ${BEGINS.alpha}`],
    },
    'sentence-similarity': {
      hasClasses: false,
      hasNames: false,
      isEmptyKnown: false,
      answersPer: 'sample',
      losses: LOSSES,
      loss: 'cosine',
      store: 'fp32',
      // Correlation of the cosines of pairs with their similarities, from -1 to 1.
      score: { name: 'Spearman', unit: 'fraction', bounds: [-1, 1] },
      mixes: [],
      isOfPairs: true,
      begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.95 ${BEGINS.alpha}`],
    },
  },
  keys: [vectorKeys, classVectorKeys, pairsKeys],
};
