import config from './jest.config.js';

const [project] = config.projects;

/** Tests against the official Python packages: run them with `npm run test:conformance`, which sets these up. */
export default {
  ...project,
  testSequencer: config.testSequencer,
  testMatch: ['<rootDir>/test/conformance/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/tasks.ts'],
  maxWorkers: 2,
  testTimeout: 300_000,
};
