import base from './jest.config.js';

/** What takes long: runs that are killed over and over, all recipes, whole runs with few labels or with assistants, generations and races, races and searches in shards, 10,000 steps without growth, and the samples of the documents. Apart from `npm test`, which takes less than five minutes. */
export default {
  ...base.projects[0],
  testMatch: ['<rootDir>/test/(run/(kill|recipes|few-labels-whole|modes|modes-shards|growth)|docs).test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 240_000,
};
