import { forecastText } from '../../src/run/forecast.ts';

const FORECAST = {
  ...{ runs: 1, takenSeconds: 0, answerSeconds: 0, trainings: 1, trainingSeconds: 60 },
  ...{ memoryBytes: 12.1e9, freeBytes: 16e9, processes: 1, diskBytes: 1e6 },
  step: { stage: 'distill', bytes: 10e9, samples: 256, setting: 'microBatch' },
} as const;

it.each([
  // 2.1 GB are not of the steps, which leaves them 5.9 of 8 GB: as much as 151 samples take.
  ['names the parts of a batch that fit in half of the free memory', {}, 'memory 12.1 GB of the 16.0 GB that are free (microBatch: 128 of distill takes about 7.1 GB), disk'], // prettier-ignore
  ['of a loss that compares samples names the batch', { step: { ...FORECAST.step, setting: 'batchSize', samples: 200 }, freeBytes: 13e9 }, 'memory 12.1 GB of the 13.0 GB that are free (batchSize: 64 of distill takes about 5.3 GB), disk'], // prettier-ignore
  ['shares the memory among processes', { processes: 2 }, 'memory 12.1 GB in each of 2 processes of the 16.0 GB that are free (microBatch: 32 of distill takes about 3.4 GB), disk'], // prettier-ignore
  ['names none where all else takes more than half', { freeBytes: 4.2e9 }, 'memory 12.1 GB of the 4.2 GB that are free, disk'], // prettier-ignore
  ['says nothing of less than half', { freeBytes: 25e9 }, 'memory 12.1 GB, disk'],
])('a forecast %s', (_, change, text) => {
  expect(forecastText({ ...FORECAST, ...change } as never)).toContain(text);
});
