import base from './jest.config.js';

/** What takes long: runs that are killed over and over, and all recipes. Apart from `npm test`, which takes less than five minutes. */
export default {
  ...base.projects[0],
  testMatch: ['<rootDir>/test/run/(kill|recipes).test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
