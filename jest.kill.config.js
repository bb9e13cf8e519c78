import base from './jest.config.js';

/** Runs that are killed and go on, over and over: apart from `npm test`, which takes less than five minutes. */
export default {
  ...base.projects[0],
  testMatch: ['<rootDir>/test/run/kill.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
