import { raceRoundsOf } from '../../../src/methods/race/race.ts';
import { raceRows } from '../../../src/report/tables/race.ts';
import { accuracyScore } from '../../../src/tasks/score.ts';

it('each round has half the candidates and twice the epochs, the last half of the epochs of the student', () => {
  expect(raceRoundsOf(12, 3, 30)).toEqual([
    { count: 12, epochs: 3.75 },
    { count: 6, epochs: 7.5 },
    { count: 3, epochs: 15 },
  ]);
  expect(raceRoundsOf(1, 2, 4)).toEqual([
    { count: 1, epochs: 1 },
    { count: 1, epochs: 2 },
  ]);
});

it('the table has the chosen one first, then those that came furthest', () => {
  const round = (epochs: number, validation: number) => ({ epochs, validation });
  const candidates = [
    { loss: 'kd', numbers: { temperature: 2, alpha: 0.5 }, rounds: [round(1, 0.8)] },
    { loss: 'mse', numbers: { alpha: 0.5 }, rounds: [round(1, 0.85), round(2, 0.9)] },
    { loss: 'dist', numbers: { temperature: 2, alpha: 0.5 }, rounds: [round(1, 0.9), round(2, 0.91)] },
  ];
  const { head, rows } = raceRows({ epochs: 7, candidates, pick: 2 }, accuracyScore);
  expect(head.slice(3)).toEqual(['after 1 epoch', 'after 2 epochs']);
  expect(rows.map(({ cells }) => cells)).toEqual([
    ['dist', '2', '0.5', '90.00 %', '91.00 %'],
    ['mse', '–', '0.5', '85.00 %', '90.00 %'],
    ['kd', '2', '0.5', '80.00 %', '–'],
  ]);
  expect(rows.map(({ isPick }) => isPick)).toEqual([true, false, false]);
});
