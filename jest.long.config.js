import base from './jest.config.js';

/** What takes long: runs that are killed over and over, all recipes, and the samples of the documents. Apart from `npm test`, which takes less than five minutes. */
export default {
  ...base.projects[0],
  testMatch: ['<rootDir>/test/(run/(kill|recipes)|docs).test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 240_000,
};
