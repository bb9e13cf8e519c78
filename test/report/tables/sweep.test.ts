import { sweepRows, trialFigures } from '../../../src/report/tables/sweep.ts';
import { example } from '../example.ts';

const trial = { name: 'rate', set: ['distill.optimizer.learningRate=0.01'] };

it('shows the student without the teacher beside the one that a trial ends with', () => {
  const [head, ended, open] = sweepRows([
    { ...trial, report: example },
    { ...trial, report: undefined },
  ]);
  const twin = example.models.find(({ id }) => id === 'scratch')!.score.validation!;
  expect(trialFigures({ ...trial, report: example }).twin).toBe(twin);
  expect(ended![head!.indexOf('without teacher')]).toBe(`${(100 * twin).toFixed(2)} %`);
  expect(open!.slice(2)).toEqual(['-', '-', '-', '-']);
});

it('shows no twin where the student itself was trained without a teacher', () => {
  const alone = { ...example, models: example.models.filter(({ id }) => id === 'scratch') };
  expect(trialFigures({ ...trial, report: alone })).toMatchObject({ model: 'scratch', twin: null });
});
