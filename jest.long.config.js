import base, { tfjs } from './jest.config.js';

/**
 * What takes long, apart from `npm test`, which takes less than five minutes: tests named `*.long.test.ts`, most of them whole runs; the tests
 * of tfjs-core; runs that are killed over and over, all recipes, runs with few labels or with assistants, generations and races, races and
 * searches in shards, 10,000 steps without growth, and the samples of the documents.
 */
export default {
  ...base,
  projects: [
    {
      ...base.projects[0],
      testMatch: [
        '<rootDir>/test/(run/(kill|recipes|few-labels-whole|modes|modes-shards|growth)|docs).test.ts',
        '<rootDir>/test/**/*.long.test.ts',
      ],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/trace/tfjs/'],
      setupFilesAfterEnv: ['<rootDir>/test/support/tasks.ts'],
    },
    tfjs,
  ],
};
