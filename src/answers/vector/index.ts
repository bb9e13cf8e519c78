import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import type { LossName } from '../../recipe/schema/loss.ts';
import { classVectorKeys, pairsKeys, vectorKeys } from './recipe.ts';

/** Losses that compare vectors: with the vector of the teacher, or the likenesses between samples. */
const LOSSES: readonly LossName[] = ['cosine', 'mse', 'similarity', 'hint', 'rkd', 'sp'];

/** A vector to search with. */
export const vectorAnswers: AnswerRow = {
  name: 'vector',
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
      mixes: [],
      isOfPairs: true,
      begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.95 ${BEGINS.alpha}`],
    },
  },
  keys: [vectorKeys, classVectorKeys, pairsKeys],
};
