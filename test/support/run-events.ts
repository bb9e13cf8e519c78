import type { RunEvent } from '../../src/base/events.ts';

/** Events of a run in the folder `run`, whose only training takes two epochs. */
export const training = (run: string): RunEvent[] => [
  { type: 'run', name: 'r', folder: run, resumed: false },
  { type: 'stage', stage: 'distill', title: 'distilling', step: 0 },
  {
    ...{ type: 'progress', stage: 'distill', done: 5, total: 20, epoch: 0.5, epochs: 2, loss: 1.5, score: 0.25 },
    ...{ samplesPerSecond: 1000, secondsPerStep: 0.125, secondsLeft: 3 },
  },
  {
    ...{ type: 'epoch', stage: 'distill', epoch: 1, epochs: 2, step: 10, loss: 0.75, score: 0.5 },
    ...{ validation: 0.625, seconds: 2 },
  },
  { type: 'saved', stage: 'distill', file: 'x' },
  { type: 'done', stage: 'distill', seconds: 4, figures: { score: { validation: 0.625 } } },
];
