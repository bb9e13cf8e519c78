import { usualOf } from '../../folder/usual-answers.ts';
import type { Observe, ServerObserver } from '../../serve/observers.ts';
import type { ServedModel } from '../../serve/model.ts';
import { watchAnswer } from './answers.ts';
import { DRIFT } from './watch.ts';
import type { DriftWatch } from './watch.ts';

export interface DriftObserver extends ServerObserver {
  /** Watch over a model's answers; undefined where the usual ones are not known. */
  readonly watchOf: (model: ServedModel) => DriftWatch | undefined;
}

export const observeServer: Observe = (_settings, log): DriftObserver => {
  const watches = new WeakMap<ServedModel, DriftWatch>();
  return {
    read: async (file, stored, form) => {
      const watchOver = await DRIFT.loadIfThere(form);
      const usual = await usualOf(file, stored);
      return watchOver && usual && ((model) => void watches.set(model, watchOver(usual)));
    },
    watches: (model) => watches.has(model),
    onAnswer: (model, _request, answer) => watchAnswer(model, watches.get(model)!, answer, log),
    watchOf: (model) => watches.get(model),
  };
};
