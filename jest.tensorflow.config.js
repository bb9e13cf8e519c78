import base from './jest.config.js';

/** Needs the engine tensorflow (npm run setup:tensorflow): apart from `npm test`. */
export default {
  ...base.projects[0],
  testTimeout: base.testTimeout,
  testMatch: ['<rootDir>/test/tensorflow/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
