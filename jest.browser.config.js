import base from './jest.config.js';

/** Needs Chromium: apart from `npm test`, which needs npm packages alone. */
export default {
  ...base.projects[0],
  testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 240_000,
};
