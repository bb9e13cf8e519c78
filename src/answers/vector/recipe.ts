import { z } from 'zod';
import { belongs } from '../../recipe/rule.ts';
import type { AnswerKeys } from '../../recipe/rule.ts';

/** Keys about vectors to search with. */
export const vectorKeys = {
  name: 'embedding',
  tasks: ['embedding', 'sentence-similarity'],
  keys: {
    dataset: {
      dimensions: z.int().min(2).max(4096).optional().describe('Embedding: numbers of a vector. Default: 128.'),
      prefixes: z
        .array(z.int().min(2).max(4096))
        .min(1)
        .optional()
        .describe(
          'Embedding: how many of the first numbers of a vector make a shorter vector, each trained as the whole one is (Matryoshka). Default: none.',
        ),
      centred: z
        .boolean()
        .optional()
        .describe("Embedding: the mean of the teacher's vectors is subtracted from each. Default: false."),
    },
  },
  rules: [
    {
      keys: ['dataset.centred', 'teacher'],
      when: (centred: boolean, teacher?: object) => centred && teacher === undefined,
      because: 'none without a teacher, whose vectors are centred',
    },
  ],
  elsewhere: [
    {
      ...belongs('embedding', 'asked.pooling'),
      keys: ['asked.pooling', 'dataset.task', 'asked.classes'],
      // Classes as vectors make a classifier of a model of embeddings.
      when: (_pooling: string, _task: unknown, classes?: unknown) => typeof classes !== 'string',
    },
  ],
} as const satisfies AnswerKeys;

/** Keys about vectors that samples of a class share. */
export const classVectorKeys = {
  name: 'embedding',
  tasks: ['embedding'],
  keys: {
    dataset: {
      perClass: z
        .int()
        .min(2)
        .max(1024)
        .optional()
        .describe(
          'Embedding: samples of a class that a batch has beside one another, since the contrast compares the samples of a batch; 2 for pairs, each with a label of its own. Default: batches are drawn without regard to labels.',
        ),
    },
    training: {
      arcface: z
        .number()
        .gt(0)
        .lt(1.5)
        .optional()
        .describe(
          'Embedding: margin, in radians, of ArcFace (Deng 2019), by which the labels then teach; the paper has 0.5. Default: none, supervised contrast.',
        ),
    },
  },
  rules: [
    {
      keys: ['training.arcface', 'dataset.labelled'],
      when: (_margin: number, labelled?: number) => labelled === 0,
      because: 'none beside labelled: 0: it learns from labels',
    },
    {
      keys: ['dataset.perClass', 'dataset.labelled'],
      when: (_count: number, labelled?: number) => labelled === 0,
      because: 'none beside labelled: 0: samples of a class are known by labels',
    },
  ],
} as const satisfies AnswerKeys;

/** Keys about vectors of pairs of texts. */
export const pairsKeys = {
  name: 'sentence-similarity',
  tasks: ['sentence-similarity'],
  keys: {
    training: {
      pairLoss: z
        .enum(['cosent', 'mse'])
        .optional()
        .describe(
          'Sentence similarity: loss with the similarities; cosent learns their order, which may have any scale (Su 2022), mse the cosine itself. Default: cosent.',
        ),
    },
  },
  rules: [
    {
      keys: ['training.batchSize'],
      when: (size: number) => size % 2 !== 0,
      because: 'an even number for sentence-similarity, whose batches hold both texts of a pair',
    },
    {
      keys: ['dataset.text.column'],
      when: (column?: unknown) => !Array.isArray(column) || column.length !== 2,
      because: 'the two columns of the texts of a pair for sentence-similarity',
      isOfAbsent: true,
    },
  ],
} as const satisfies AnswerKeys;
