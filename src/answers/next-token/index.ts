import { row } from '../../commands/commands.ts';
import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { nextTokenKeys } from './recipe.ts';

/** The token that comes next, at each place of a text. */
export const nextTokenAnswers: AnswerRow = {
  name: 'next-token',
  words: ['token', 'tokens'],
  namesKey: 'targets',
  answersText: (count) => `${count} tokens, of which one comes next`,
  told: { key: 'tokens' },
  tasks: {
    'next-token': {
      hasClasses: false,
      hasNames: true,
      isEmptyKnown: false,
      answersPer: 'token',
      losses: ['kd', 'mse'],
      loss: 'kd',
      store: 'fp16',
      // Bits per byte: -log2 of the probability of the true tokens, over the bytes of their text: comparable over vocabularies.
      score: { name: 'BPB', unit: 'nats' },
      mixes: [],
      begins: [
        'loss: kd # token by token: forward KL to the teacher, cross-entropy to the text',
        `temperature: 1 ${BEGINS.softens}`,
        `alpha: 0.9 ${BEGINS.alpha}`,
      ],
      temperature: 1,
    },
  },
  keys: [nextTokenKeys],
};

/** `limbeck complete`. */
export const completeRow = row(
  'complete <model>',
  'Write on behind a text, and name the likeliest next words, with a model that says which token comes next',
  async () => (await import('./command.ts')).completeCommand,
);

/** `/v1/completions` of every server. */
export const completions = { name: 'completions', isAlways: true } as const;
export const completionCells = { observeServer: () => import('./completions/observe.ts') };
